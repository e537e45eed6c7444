"""Where a lone request's time goes, from socket to socket: medians over many requests, one after the other.

Run it with `scripts/bench breakdown`. The marks cost some microseconds each; a run without them stands beside.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from contextlib import suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic_ns

from inference.supervision.processes import Child
from tests.benchmarks.marks import FOLDER
from tests.benchmarks.report import Row, parser, report
from tests.benchmarks.systems import load_sample
from tests.support.keep_alive import KeptConnection, post_request
from tests.support.own_node import running_node
from tests.support.system import System, clean_environment
from workers.settings import ROOT

WARM_UP = 300
#: From one mark to the next, in the order in which a request passes them.
STEPS = (
    ("request sent", "protocol begins", "HTTP in: sockets, the event loop's wake-up"),
    ("protocol begins", "door begins", "HTTP in: parser, ASGI, the request's id"),
    ("door begins", "read begins", "may it be asked; JSON"),
    ("read begins", "submit begins", "rows: numbers to a tensor"),
    ("submit begins", "hand-over begins", "wait: for others that arrive in the same moment"),
    ("hand-over begins", "sender begins", "to the sender's thread"),
    ("sender begins", "publish begins", "which version is active, message"),
    ("publish begins", "publish ends", "publish"),
    ("publish ends", "task begins", "broker, and Celery up to the task"),
    ("task begins", "compute begins", "worker: message to array"),
    ("compute begins", "compute ends", "TensorFlow"),
    ("compute ends", "task ends", "worker: array to message"),
    ("task ends", "reply begins", "result: Celery, broker, up to the gateway's reply thread"),
    ("reply begins", "resolve begins", "answer: its rows of it, to the event loop"),
    ("resolve begins", "submit ends", "answer: the request's task wakes up"),
    ("submit ends", "write begins", "answer: timing noted, JSON"),
    ("write begins", "write ends", "HTTP out: head and body, to the socket"),
    ("write ends", "answer received", "HTTP out: sockets, the client's wake-up"),
)
Marks = dict[str, list[int]]


def start(system: System, folder: Path, marked: bool) -> None:
    """Start the system, with marks or without."""
    if not marked:
        system.start(1)
        return
    system.start(0)
    worker = Child(
        "worker-1",
        [sys.executable, "-m", "tests.benchmarks.marks"],
        log=system.directory / "log" / "worker-1.log",
        env=clean_environment() | {"BROKER_URL": system.environment["BROKER_URL"], FOLDER: str(folder)},
        cwd=ROOT,
        stop_seconds=30.0,
    )
    worker.start()
    system.workers.append(worker)
    system.wait_for_workers(1)


def ask(system: System, requests: int) -> Marks:
    """Ask one request after the other, the first ones unmeasured; when each was sent, and when it was answered."""
    request = post_request(system.url, "/predict", {"vector": [0.3, 0.7]})
    connection = KeptConnection(system.url, 30.0)
    sent, received = [], []
    for number in range(WARM_UP + requests):
        started = monotonic_ns()
        status, answer = connection.ask(request)
        ended = monotonic_ns()
        assert status == 200, answer
        assert abs(answer["result"] - 1.0) <= 0.01, answer
        if number >= WARM_UP:
            sent.append(started)
            received.append(ended)
    connection.close()
    return {"request sent": sent, "answer received": received}


def run(requests: int, marked: bool) -> Marks:
    """A system of its own, asked; with its marks when it makes some."""
    with TemporaryDirectory() as folder, running_node(Path(folder) / "rabbitmq") as node:
        marks_folder = Path(folder) / "marks"
        marks_folder.mkdir()
        settings = {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.marked_settings", FOLDER: str(marks_folder)}
        system = System(Path(folder) / "system", node.url, **(settings if marked else {}))
        try:
            start(system, marks_folder, marked)
            load_sample(system)
            asked = ask(system, requests)
        finally:
            system.stop()
        for file in marks_folder.iterdir():
            for line in file.read_text().splitlines():
                at, _, name = line.partition(" ")
                asked.setdefault(name, []).append(int(at))
    return {name: sorted(times) for name, times in asked.items()}


def steps(marks: Marks) -> list[Row]:
    """The median of each step. A request's marks are the first of each name after it was sent."""
    times: dict[str, list[float]] = {title: [] for _, _, title in STEPS}
    for begin, end in zip(marks["request sent"], marks["answer received"], strict=True):
        with suppress(IndexError):
            seen = {name: among[bisect_left(among, begin)] for name, among in marks.items()} | {"answer received": end}
            for first, last, title in STEPS:
                times[title].append((seen[last] - seen[first]) / 1e6)
    return [{"step": title, "median ms": median(taken)} for title, taken in times.items()]


def whole(marks: Marks) -> float:
    """The median of a request's time, in milliseconds."""
    pairs = zip(marks["request sent"], marks["answer received"], strict=True)
    return median((end - begin) / 1e6 for begin, end in pairs)


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--requests", type=int, default=3000, help="default: %(default)s")
    chosen = options.parse_args()
    plain, marked = run(chosen.requests, marked=False), run(chosen.requests, marked=True)
    rows = steps(marked)
    rows.append({"step": "the whole, with marks", "median ms": whole(marked)})
    rows.append({"step": "the whole, without", "median ms": whole(plain)})
    report("breakdown", rows, chosen.out)


if __name__ == "__main__":
    main()
