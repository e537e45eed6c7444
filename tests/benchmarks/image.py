"""An image of 224x224x3 as JSON, 3 MB, one after the other through the cluster: its time beyond the worker's own call.

Run it with `scripts/bench image`. The network's own call takes next to nothing, so that all else shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from tests.benchmarks.report import Row, parser, report
from tests.benchmarks.systems import at
from tests.benchmarks.wrk import load
from tests.support.keep_alive import KeptConnection, post_request
from tests.support.own_node import running_system
from tests.support.system import System
from tests.support.waiting import wait_until

NN_ID = "1a9e" * 8
SHAPE, CLASSES = (224, 224, 3), 10
TOLERANCE = 1e-3
WARM_UP = 5
STORED_SECONDS = 60.0
#: In milliseconds: a request's way through the gateway, from its rows to its answer, and the worker's call.
TIMES = "[[each.total_ms, each.inference_ms] for each in PredictionTiming.objects.order_by('-id')[:{}]]"


@dataclass(frozen=True)
class Asked:
    """One image, and what the network answers to it."""

    image: NDArray[Any]
    answer: list[float]

    @property
    def body(self) -> bytes:
        """As it is sent: every digit of every number."""
        return orjson.dumps({"vector": self.image.tolist()})

    def is_answered_by(self, result: object) -> bool:
        """Whether that is the answer."""
        return bool(np.allclose(np.asarray(result), self.answer, atol=TOLERANCE))


def save(file: Path) -> Asked:
    """Write a network that weighs an image's mean colours, and ask it something."""
    from workers.runtime.backend import keras

    drawn = np.random.default_rng(1)
    model = keras.Sequential(
        [keras.Input(SHAPE), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(CLASSES, name="classes")]
    )
    kernel, bias = drawn.uniform(-1.0, 1.0, (SHAPE[2], CLASSES)), drawn.uniform(-1.0, 1.0, CLASSES)
    model.get_layer("classes").set_weights([kernel, bias])
    model.save(file)
    image = drawn.uniform(0.0, 1.0, SHAPE)
    return Asked(image, (image.mean(axis=(0, 1)) @ kernel + bias).tolist())


def ask(system: System, asked: Asked, requests: int) -> list[float]:
    """Ask one request after the other, the first ones unmeasured; the milliseconds of each, from socket to socket."""
    request = post_request(system.url, "/predict", {"vector": asked.image.tolist()})
    connection = KeptConnection(system.url, 60.0)
    times = []
    for _ in range(WARM_UP + requests):
        started = perf_counter()
        status, answer = connection.ask(request)
        times.append((perf_counter() - started) * 1000)
        assert status == 200, answer
        assert asked.is_answered_by(answer["result"]), answer
    connection.close()
    return times[WARM_UP:]


def noted_times(system: System, requests: int) -> list[list[float]]:
    """What the gateway has noted of the last requests, in their order."""
    wait_until(
        lambda: system.query("PredictionTiming.objects.count()") >= WARM_UP + requests,
        STORED_SECONDS,
        "all timings are written",
    )
    found: list[list[float]] = system.query(TIMES.format(requests))
    return found[::-1]


def rows(whole: Sequence[float], noted: Sequence[Sequence[float]]) -> list[Row]:
    """Where the time of a request goes, by what its client and the gateway have noted of each."""
    parts = [(each, total, call) for each, (total, call) in zip(whole, noted, strict=True)]
    return [
        _line("from socket to socket", [each for each, _, _ in parts]),
        _line("the worker's call", [call for _, _, call in parts]),
        _line("beyond it", [each - call for each, _, call in parts]),
        _line("of that: HTTP in and out, JSON to rows", [each - total for each, total, _ in parts]),
        _line("of that: to the worker and back", [total - call for _, total, call in parts]),
    ]


def _line(what: str, times: Sequence[float]) -> Row:
    middle, late = np.percentile(times, [50, 90])
    return {"what": what, "p50 ms": float(middle), "p90 ms": float(late), "images/s": ""}


def together(system: System, asked: Asked, connections: int, seconds: int) -> Row:
    """Many at once."""
    question = replace(
        at(system.url), body=asked.body, pattern='"result":(%b[])', expected=asked.answer, tolerance=TOLERANCE
    )
    measured = load(question, connections, seconds)
    return {
        "what": f"{connections} connections at once, {measured.wrong + measured.errors} wrong or none",
        "p50 ms": measured.p50_ms,
        "p90 ms": measured.p90_ms,
        "images/s": measured.right_per_second,
    }


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--requests", type=int, default=100, help="default: %(default)s")
    options.add_argument("--connections", type=int, default=8, help="at once, afterwards; default: %(default)s")
    options.add_argument("--seconds", type=int, default=10, help="of that; default: %(default)s")
    chosen = options.parse_args()
    with TemporaryDirectory() as folder, running_system(1) as system:
        file = Path(folder) / "image.keras"
        asked = save(file)
        assert system.client.set_weights(NN_ID, file.name, file.read_bytes())["status"]
        print(f"a request of {len(asked.body) / 1e6:.1f} MB", flush=True)
        whole = ask(system, asked, chosen.requests)
        found = rows(whole, noted_times(system, chosen.requests))
        found.append(together(system, asked, chosen.connections, chosen.seconds))
    report("image", found, chosen.out)


if __name__ == "__main__":
    main()
