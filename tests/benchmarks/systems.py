"""The systems that are compared: each is started alone, asked one question, and stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from inference.supervision.options import default_processes
from inference.supervision.processes import Child
from tests.benchmarks.checkout import Checkout, OtherSystem
from tests.benchmarks.usage import Parts
from tests.benchmarks.wrk import Question
from tests.support.memory import family
from tests.support.own_node import running_node
from tests.support.postgresql import PrivatePostgresql
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until

#: The application that gunicorn is given in place of the gateway's.
FLOOR = "tests.benchmarks.floor.asgi"
NOWHERE = "amqp://guest:guest@127.0.0.1:9//"
ASKED = Question("", b'{"vector":[0.3,0.7]}', '"result":([^,}]+)', [1.0], 0.01)


@dataclass(frozen=True)
class Running:
    """A system that answers: what it is asked, and which processes it has."""

    question: Question
    parts: Parts
    #: The part whose processes share the connections.
    front: str


#: Starts a system with so many workers; the block's end stops it.
Start = Callable[[int], AbstractContextManager[Running]]
#: Makes a Pipeline of a folder, the broker's address, perhaps the database's, and settings: this commit's or another's.
SystemOf = Callable[..., System]


def at(url: str) -> Question:
    """The question to a Pipeline."""
    return replace(ASKED, url=f"{url}/predict")


def family_of(child: Child) -> Callable[[], list[int]]:
    """A child and all that it has started, at each look."""
    return lambda: family(child.pid or 0)


def load_sample(system: System) -> None:
    """Make the first sample the default network."""
    sample = samples()[0]
    answer = system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())
    assert answer["status"], answer


@contextmanager
def floor(workers: int) -> Iterator[Running]:
    """The same server, doors and observed layer as the gateway's, answering a constant."""
    with TemporaryDirectory() as folder:
        system = System(Path(folder), NOWHERE)
        system.gateway.argv[-1] = FLOOR
        try:
            system.gateway.start()
            wait_until(lambda: _answers(system), 30.0, "the floor answers")
            yield Running(at(system.url), {"gateway": family_of(system.gateway)}, "gateway")
        finally:
            system.stop()


def _answers(system: System) -> bool:
    try:
        return system.post("/predict", {"vector": [0.3, 0.7]}).ok
    except OSError:
        return False


@contextmanager
def embedded(workers: int, *, system_of: SystemOf = System) -> Iterator[Running]:
    """Gateway and worker in one process, as scripts/serve runs them."""
    with TemporaryDirectory() as folder:
        system = system_of(Path(folder), "")
        try:
            load_sample(system.start(0, embedded=True))
            yield Running(at(system.url), {"gateway": family_of(system.gateway)}, "gateway")
        finally:
            system.stop()


@contextmanager
def cluster(
    workers: int, *, postgresql: bool = False, system_of: SystemOf = System, **settings: str
) -> Iterator[Running]:
    """RabbitMQ, a gateway and workers, as scripts/cluster runs them; timings are stored."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        node = stack.enter_context(running_node(folder / "rabbitmq"))
        parts = {"broker": lambda: family(node.pid or 0)}
        database_url = ""
        if postgresql:
            database = PrivatePostgresql()
            stack.callback(database.stop)
            database.start()
            database_url = database.url
            parts["database"] = lambda: family(database.pid)
        if system_of is System:  # another commit has a default of its own
            settings = {"PIPELINE_GATEWAY_PROCESSES": str(default_processes()), **settings}
        system = system_of(folder / "system", node.url, database_url, **settings)
        stack.callback(system.stop)
        load_sample(system.start(workers))
        parts["gateway"] = family_of(system.gateway)
        parts["worker"] = lambda: [pid for worker in system.workers for pid in family(worker.pid or 0)]
        yield Running(at(system.url), parts, "gateway")


OWN: dict[str, Start] = {
    "floor": floor,
    "embedded": embedded,
    "cluster": cluster,
    "cluster-postgresql": partial(cluster, postgresql=True),
}
#: Those that another commit has as well.
OF_OTHER_COMMITS = ("embedded", "cluster", "cluster-postgresql")


def of_other(name: str, checkout: Checkout) -> Start:
    """One of ours, of another commit."""
    return partial(OWN[name], system_of=partial(OtherSystem, checkout))
