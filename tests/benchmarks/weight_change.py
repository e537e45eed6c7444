"""Wall times of /set_weights and /status on a private RabbitMQ, for one worker and for four.

Run it with `scripts/bench weight_change`; it takes a minute and prints a table.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import partial
from io import BytesIO
from statistics import median
from time import perf_counter

import h5py

from tests.support.own_node import running_system
from tests.support.samples import samples
from tests.support.system import System

ROUNDS = 30


def milliseconds(act: Callable[[], object]) -> float:
    """How long `act` takes."""
    started = perf_counter()
    act()
    return (perf_counter() - started) * 1000


def weights_with_bias(bias: float) -> bytes:
    """The first sample's weights file with another last bias."""
    file = BytesIO(b64decode(samples()[0].file.read_bytes()))
    with h5py.File(file, "r+") as opened:
        opened["layers/dense_2/vars/1"][0] = bias
    return file.getvalue()


def measure(system: System) -> dict[str, list[float]]:
    """Uploads of weights that no worker has seen, and a status after each."""
    sample = samples()[0]
    times: dict[str, list[float]] = {"PUT /set_weights": [], "GET /status": []}
    for number in range(ROUNDS):
        upload = partial(system.client.set_weights, sample.nn_id, "new.b64", b64encode(weights_with_bias(number)))
        times["PUT /set_weights"].append(milliseconds(upload))
        times["GET /status"].append(milliseconds(system.client.status))
    return times


def main() -> None:
    """Measure and print."""
    print(f"{'':18}{'workers':>8}{'first ms':>10}{'median ms':>11}{'max ms':>9}")
    for workers in (1, 4):
        with running_system(workers) as system:
            for what, times in measure(system).items():
                later = times[1:]  # the first upload compiles, and opens every connection
                print(f"{what:18}{workers:>8}{times[0]:>10.1f}{median(later):>11.1f}{max(later):>9.1f}")


if __name__ == "__main__":
    main()
