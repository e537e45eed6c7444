"""Networks of Dense layers as large as a benchmark needs them, and how fast their compiled function is by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.settings import ROOT

DIRECT_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Direct:
    """What calling the compiled function in a loop in one process measured."""

    call_ms: float
    calls_per_second: float
    answers: list[float]


def rows(count: int) -> NDArray[Any]:
    """Rows of two numbers for such a network."""
    drawn: NDArray[Any] = np.random.default_rng(count).uniform(0.0, 1.0, (count, 2)).round(4)
    return drawn


def save(folder: Path, layers: int, units: int) -> Path:
    """Write a network of so many Dense layers, as `network.keras`, and as `network.json` and `network.weights.h5`."""
    from workers.runtime.backend import keras

    keras.utils.set_random_seed(1)
    dense = [keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal") for _ in range(layers)]
    model = keras.Sequential([keras.Input((2,)), *dense, keras.layers.Dense(1)])
    model.save(folder / "network.keras")
    model.save_weights(folder / "network.weights.h5")
    (folder / "network.json").write_text(model.to_json())
    return folder / "network.keras"


def direct(folder: Path, count: int, seconds: float, threads: int) -> Direct:
    """Call the function in a loop, in a process of its own, where TensorFlow has so many threads."""
    command = [sys.executable, "-m", __name__, str(folder), str(count), str(seconds), str(threads)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + DIRECT_TIMEOUT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return Direct(**json.loads(done.stdout.splitlines()[-1]))


def loop(folder: Path, count: int, seconds: float, threads: int) -> Direct:
    """Call the function that a worker would call, with numpy rows in and numpy answers out."""
    from workers.runtime.backend import use_threads
    from workers.runtime.engine import Architecture

    use_threads(threads, threads)
    architecture = Architecture((folder / "network.json").read_text())
    weights = architecture.load(folder / "network.weights.h5")
    asked = rows(count).astype(np.float32)
    answers = architecture.predict_rows(weights, asked)[:, 0].tolist()
    times = []
    started = perf_counter()
    while (now := perf_counter()) - started < seconds:
        architecture.predict_rows(weights, asked)
        times.append(perf_counter() - now)
    return Direct(float(np.median(times)) * 1000, len(times) / sum(times), answers)


if __name__ == "__main__":
    found = loop(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps(found.__dict__))
