"""One worker: what it reports, what it shows, and what it catches up with."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.unit.pretended_worker import PretendedNetworks, worker_with
from tests.unit.reply_queue import SOON_SECONDS, ReplyQueue
from tests.unit.samples import DIGEST, NEXT_VERSION, OTHER_NN_ID, VERSION
from workers import control
from workers import worker as worker_module
from workers.celery import app
from workers.messages.details import LoadedWeights
from workers.messages.message import ProtocolError
from workers.messages.protocol import Report, VersionRef, WorkerStatus
from workers.messages.supplied import ActiveVersions
from workers.runtime.errors import KeyMismatchError, SupplyError, WeightsError
from workers.settings import settings
from workers.worker import LOADS_AT_ONCE, Worker, this_worker


class PretendedSupply:
    """Tells which versions are active."""

    def __init__(self, answer: ActiveVersions | Exception) -> None:
        self.answer = answer

    def active_versions(self, timeout_seconds: float) -> ActiveVersions:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def renew(self) -> None:
        pass


@pytest.fixture
def replies() -> Iterator[ReplyQueue]:
    with app.connection_for_read() as connection:
        yield ReplyQueue(connection)


@pytest.fixture
def worker(networks: PretendedNetworks, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr(worker_module, "host_addresses", lambda: ["192.0.2.7"])
    with worker_with(networks) as worker:
        yield worker


def test_a_process_without_a_worker_says_how_to_start_one() -> None:
    with pytest.raises(RuntimeError, match="celery -A workers worker"):
        this_worker()


def test_a_version_that_was_loaded_is_reported(
    worker: Worker, networks: PretendedNetworks, replies: ReplyQueue
) -> None:
    control.load_network(None, VERSION.to_json(), replies.name, "ticket")

    ticket, body = replies.next()
    report = Report.from_json(body)
    assert ticket == "ticket"
    assert (report.worker, report.loaded, report.trace) == ("worker-1@here", True, "")
    assert report.seconds >= 0
    assert report.signature is not None
    assert [each.name for each in report.signature.inputs] == ["numbers"]
    assert networks.acquired == [VERSION]


@pytest.mark.parametrize("error", [WeightsError("hidden_1 holds NaN"), MemoryError("a defect")], ids=repr)
def test_a_version_that_was_not_loaded_is_reported_with_its_trace(
    error: Exception, worker: Worker, networks: PretendedNetworks, replies: ReplyQueue
) -> None:
    networks.error = error

    worker.load_later(VERSION, replies.name, "ticket")

    report = Report.from_json(replies.next()[1])
    assert not report.loaded
    assert report.trace.startswith("Traceback (most recent call last):")
    assert str(error) in report.trace


def test_a_command_that_cannot_be_read_loads_nothing(worker: Worker, networks: PretendedNetworks) -> None:
    with pytest.raises(ProtocolError):
        control.load_network(None, {"nn_id": "x"}, "replies", "ticket")

    assert networks.acquired == []


def test_the_status_tells_the_default_network_once_it_is_loaded(
    worker: Worker, networks: PretendedNetworks, replies: ReplyQueue
) -> None:
    control.report_status(None, VERSION.to_json(), replies.name, "1")
    assert WorkerStatus.from_json(replies.next()[1]).nn_id is None
    networks.acquire(VERSION)
    worker.stats.add(2, 4.0, 3.0)

    control.report_status(None, VERSION.to_json(), replies.name, "2")

    ticket, body = replies.next()
    assert ticket == "2"
    assert replace(WorkerStatus.from_json(body), details=None) == WorkerStatus(
        "worker-1@here", ["192.0.2.7"], VERSION.nn_id, VERSION.number, 4.0, 3.0, 2
    )


def test_reports_do_not_wait_for_loads(worker: Worker, replies: ReplyQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = threading.Event()
    monkeypatch.setattr(worker, "_load", lambda _: "" if loaded.wait(SOON_SECONDS) else "late")
    for number in range(LOADS_AT_ONCE):
        worker.load_later(VERSION, "nowhere", str(number))

    control.report_status(None, None, replies.name, "status")

    assert replies.next()[0] == "status"
    loaded.set()


def test_the_status_tells_programs_memory_and_what_is_loaded(worker: Worker, replies: ReplyQueue) -> None:
    worker.networks.acquire(VERSION)
    control.report_status(None, None, replies.name, "1")

    details = WorkerStatus.from_json(replies.next()[1]).details

    assert details
    assert details.programs["python"] == platform.python_version()
    assert details.programs.keys() == {"pipeline", "python", "keras", "tensorflow"}
    assert details.memory_bytes > 1024**2
    assert (details.networks_bytes, details.networks_bytes_max) == (1000, settings().worker_memory_bytes)
    assert (details.loaded_count, details.loaded) == (1, [LoadedWeights(VERSION.nn_id, DIGEST, 1000)])


def test_the_status_tells_the_last_known_network_while_the_next_is_missing(
    worker: Worker, networks: PretendedNetworks
) -> None:
    networks.acquire(VERSION)
    worker.status(VERSION)

    assert worker.status(NEXT_VERSION).number == VERSION.number
    assert worker.status(None).number == VERSION.number


def catch_up(worker: Worker, answer: ActiveVersions | Exception) -> None:
    worker._supply = PretendedSupply(answer)  # type: ignore[assignment]
    worker.catch_up_later()
    worker._loader.stop(wait=True)


def test_a_worker_catches_up_with_what_is_active_and_loads_the_default_network_last(
    worker: Worker, networks: PretendedNetworks
) -> None:
    other = VersionRef(OTHER_NN_ID, 1, DIGEST, DIGEST)

    catch_up(worker, ActiveVersions((VERSION, other)))

    assert networks.acquired == [VERSION, other, VERSION]
    assert worker.status(None).nn_id == VERSION.nn_id


def test_a_worker_catches_up_with_no_more_versions_than_it_has_memory_for(
    worker: Worker, networks: PretendedNetworks
) -> None:
    versions = tuple(VersionRef(f"{number:032x}", 1, DIGEST, DIGEST) for number in range(8))

    catch_up(worker, ActiveVersions(versions))

    assert networks.acquired == [*versions[:3], versions[0]]


@pytest.mark.parametrize("answer", [ActiveVersions(()), SupplyError("no gateway answered in time")], ids=repr)
def test_with_nothing_to_catch_up_with_a_worker_starts_all_the_same(
    answer: ActiveVersions | Exception, worker: Worker, networks: PretendedNetworks
) -> None:
    catch_up(worker, answer)

    assert networks.acquired == []
    assert worker.status(None).nn_id is None


def test_a_version_that_cannot_be_loaded_does_not_keep_the_others_from_it(
    worker: Worker, networks: PretendedNetworks
) -> None:
    networks.error = WeightsError("damaged")

    catch_up(worker, ActiveVersions((VERSION, NEXT_VERSION)))

    assert networks.acquired == [VERSION, NEXT_VERSION, VERSION]
    assert worker.status(None).number is None
    assert worker.measures(None).number is None


def test_what_is_loaded_by_name_is_no_measure(worker: Worker) -> None:
    worker.networks.acquire(VERSION)

    details = worker.measures(None).details

    assert (details.loaded_count, details.loaded) == (1, [])


def test_a_worker_whose_key_is_another_one_does_not_start(worker: Worker) -> None:
    worker._supply = PretendedSupply(KeyMismatchError("it is signed"))  # type: ignore[assignment]

    with pytest.raises(KeyMismatchError):
        worker.catch_up()
