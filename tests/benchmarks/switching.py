"""1,000 weight changes while 64 clients predict without a pause: what it costs in latency and in memory.

Run it with `scripts/bench switching`; it takes some minutes and prints tables. Every answer
is compared with Keras's own.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

from tests.support.own_node import running_system
from tests.support.predicting_clients import Load, PredictingClients, Prediction
from tests.support.switching import Switches, memory_megabytes
from tests.support.system import System
from tests.support.uploads import Upload, bodies, uploads
from tests.support.verdict import judge, latency

#: Uploads before anything is measured: each process has then compiled, connected and allocated what it keeps.
WARM_UP = 50
MEASURE_MEMORY_EVERY = 100


def arguments() -> argparse.Namespace:
    """What is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=64, help="0: memory alone")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two switches")
    parser.add_argument("--quiet-seconds", type=float, default=10.0, help="without switches, before and after")
    return parser.parse_args()


class Run:
    """One run: quiet, switching, quiet."""

    def __init__(self, system: System, chosen: argparse.Namespace) -> None:
        self.system = system
        self.chosen = chosen
        self.switches = Switches()
        self.memory: list[tuple[int, dict[str, float]]] = []
        self.times: list[float] = []

    def switch(self, among: list[Upload]) -> None:
        """Switch to each, and look at the memory now and then."""
        for number, upload in enumerate(among):
            if number % MEASURE_MEMORY_EVERY == 0:
                self.look_at_memory(number)
            self.switches.upload(self.system.client, upload)
            time.sleep(self.chosen.pause)
        self.look_at_memory(len(among))

    def look_at_memory(self, count: int) -> None:
        """Note what the processes hold after so many switches, and print it at once: a run takes minutes."""
        held = memory_megabytes(self.system)
        if not self.memory:
            print("resident memory in MB after so many switches")
            print(f"{'':8}" + "".join(f"{name:>18}" for name in held))
        self.memory.append((count, held))
        print(f"{count:<8}" + "".join(f"{megabytes:>18.1f}" for megabytes in held.values()), flush=True)

    def phases(self, among: list[Upload]) -> None:
        """Quiet, switching, quiet."""
        self.times.append(time.monotonic())
        time.sleep(self.chosen.quiet_seconds)
        self.times.append(time.monotonic())
        self.switch(among)
        self.times.append(time.monotonic())
        time.sleep(self.chosen.quiet_seconds)
        self.times.append(time.monotonic())

    def print_latency(self, predictions: list[Prediction]) -> None:
        """The three phases, and the verdict on every answer."""
        print(f"\n{'':12}{'requests':>10}{'a second':>10}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
        for name, begin, end in zip(("quiet", "switching", "quiet"), self.times, self.times[1:], strict=False):
            it = latency(predictions, begin, end)
            print(f"{name:12}{it.count:>10}{it.per_second:>10.0f}{it.p50_ms:>9.1f}{it.p99_ms:>9.1f}{it.max_ms:>9.1f}")
        print(judge(predictions, self.switches.done, self.switches.own_answers))

    def print_switches(self) -> None:
        """How long the weight changes took, and by how much the processes grew."""
        taken = sorted(self.switches.milliseconds()[WARM_UP:])
        at_99 = taken[int(len(taken) * 0.99)]
        print(f"\n{len(taken)} switches, {len(self.switches.refused)} refused: ", end="")
        print(f"median {median(taken):.0f} ms, p99 {at_99:.0f} ms, max {taken[-1]:.0f} ms")
        first, last = self.memory[0][1], self.memory[-1][1]
        print("growth in MB: " + ", ".join(f"{name} {last[name] - first[name]:.1f}" for name in first))


def measure(system: System, chosen: argparse.Namespace) -> None:
    """Run and print."""
    run = Run(system, chosen)
    among = uploads(WARM_UP + chosen.switches)
    run.switches.upload_all([system.client], among[:WARM_UP])
    if chosen.clients:
        with PredictingClients(Load([system.url], bodies(), chosen.clients, seconds_max=3600)) as clients:
            run.phases(among[WARM_UP:])
        run.print_latency(clients.predictions)
    else:
        run.switch(among[WARM_UP:])
    run.print_switches()


def main() -> None:
    """Measure on a RabbitMQ node and a system of our own."""
    chosen = arguments()
    with running_system(chosen.workers) as system:
        measure(system, chosen)


if __name__ == "__main__":
    main()
