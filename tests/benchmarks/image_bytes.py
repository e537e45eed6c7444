"""An image of 224 x 224 x 3 as bytes, 602 kB, that tritonclient asks Pipeline and a Triton with its Python backend for.

Run it with `scripts/bench image_bytes`. Both run at once and are asked in turn; both networks do next to nothing, so
that all else shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from tests.benchmarks.image import SHAPE, noted_times
from tests.benchmarks.report import Row, parser, report
from tests.conformance.servers import running_triton
from tests.support.clients import run_client
from tests.support.own_node import running_system
from tests.support.system import System

NN_ID, NAME = "c0" * 16, "colours"
ASKS = Path(__file__).with_name("peers") / "ask_image.py"


def load(system: System, folder: Path) -> None:
    """Make the network that answers an image with its mean colour."""
    from workers.runtime.backend import keras

    given = keras.Input(SHAPE, name="image")
    keras.Model(given, keras.layers.GlobalAveragePooling2D(name="mean")(given)).save(folder / "colours.keras")
    content = (folder / "colours.keras").read_bytes()
    assert system.client.set_weights(NN_ID, "colours.keras", content)["status"]
    system.client.name_network(NN_ID, NAME)


def ask(address: str, requests: int) -> list[float]:
    """The milliseconds of each request, by the client's clock."""
    done = run_client("python", ASKS, address, str(requests))
    assert done.returncode == 0, done.stderr
    times: list[float] = json.loads(done.stdout)
    return times


def numpy_ms(requests: int) -> list[float]:
    """What Triton's network takes of that, in NumPy."""
    image, times = np.random.default_rng(1).random((1, *SHAPE), np.float32), []
    for _ in range(requests):
        began = perf_counter()
        image.mean(axis=(1, 2))
        times.append((perf_counter() - began) * 1000)
    return times


def row(what: str, whole: list[float], calls: list[float]) -> Row:
    """What one of them takes."""
    middle, late = np.percentile(whole, [50, 90])
    call = float(np.median(calls))
    return {
        "what": what, "p50 ms": float(middle), "p90 ms": float(late), "the call itself ms": call,
        "beyond it ms": float(middle) - call,
    }  # fmt: skip


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--requests", type=int, default=100, help="of each in a round; default: %(default)s")
    options.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    chosen = options.parse_args()
    ours: list[float] = []
    theirs: list[float] = []
    calls: list[float] = []
    with TemporaryDirectory() as folder, running_system(1) as system, running_triton() as triton:
        load(system, Path(folder))
        for _ in range(chosen.rounds):
            theirs += ask(triton, chosen.requests)
            ours += ask(system.url.removeprefix("http://"), chosen.requests)
            calls += [call for _, call in noted_times(system, chosen.requests)]
    rows = [row("Pipeline", ours, calls), row("Triton, Python backend", theirs, numpy_ms(chosen.requests))]
    report("image-bytes", rows, chosen.out)


if __name__ == "__main__":
    main()
