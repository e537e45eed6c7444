"""One worker: what it reports, what it shows, and what it catches up with."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection

from tests.support.waiting import wait_until
from tests.unit.pretended_worker import PretendedNetworks, worker_with
from tests.unit.samples import DIGEST, NEXT_VERSION, OTHER_NN_ID, VERSION
from workers import control
from workers import worker as worker_module
from workers.celery import app
from workers.details import LoadedWeights
from workers.message import ProtocolError
from workers.protocol import ActiveVersions, Report, VersionRef, WorkerStatus
from workers.refusals import RefusedError, SignatureError, refusals
from workers.runtime.errors import KeyMismatchError, SupplyError, WeightsError
from workers.settings import settings
from workers.signing import SIGNATURE, UNSIGNED, Keys
from workers.worker import LOADS_AT_ONCE, WAITING_MAX, Worker, this_worker

SOON_SECONDS = 10.0


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


class ReplyQueue:
    """A gateway's reply queue on the in-process broker."""

    def __init__(self, connection: Connection) -> None:
        self.name = f"replies.{uuid4().hex}"
        self._connection = connection
        self._channel = connection.channel()
        self._channel.queue_declare(self.name)
        self.messages: list[Any] = []
        self._channel.basic_consume(self.name, no_ack=True, callback=self.messages.append, consumer_tag="1")

    def next(self) -> tuple[str, Any]:
        """The ticket and the body of the next message."""
        deadline = monotonic() + SOON_SECONDS
        while not self.messages:
            assert monotonic() < deadline, "no message came"
            try:
                self._connection.drain_events(timeout=1)
            except TimeoutError:
                pass
        message = self.messages.pop(0)
        return message.properties["correlation_id"], message.decode()


@pytest.fixture
def replies() -> Iterator[ReplyQueue]:
    with app.connection_for_read() as connection:
        yield ReplyQueue(connection)


@pytest.fixture
def networks() -> PretendedNetworks:
    return PretendedNetworks()


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


@pytest.mark.parametrize("report", [control.report_status, control.report_measures])
def test_a_report_that_cannot_be_sent_holds_nobody_up(
    report: Any, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending, broker_is_back = threading.Event(), threading.Event()

    def send(*_: Any) -> None:
        sending.set()
        broker_is_back.wait(SOON_SECONDS)

    monkeypatch.setattr(worker.sender, "send", send)
    started = monotonic()
    report(None, None, "replies", "1")

    assert monotonic() - started < SOON_SECONDS / 2
    assert sending.wait(SOON_SECONDS)
    before = refusals.count
    for _ in range(WAITING_MAX + 9):
        report(None, None, "replies", "1")
    assert refusals.count == before + 10
    broker_is_back.set()


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
    worker._loader.shutdown(wait=True)


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


class AskedSupply(PretendedSupply):
    """Tells whether a gateway waits for a ticket."""

    def __init__(self, awaited: bool | Exception) -> None:
        super().__init__(ActiveVersions(()))
        self.awaited = awaited
        self.asked: list[tuple[str, str]] = []

    def is_awaited(self, reply_queue: str, ticket: str) -> bool:
        self.asked.append((reply_queue, ticket))
        if isinstance(self.awaited, Exception):
            raise self.awaited
        return self.awaited


def load_signed(worker: Worker, awaited: bool | Exception, monkeypatch: pytest.MonkeyPatch) -> AskedSupply:
    monkeypatch.setattr(worker_module, "message_keys", lambda: Keys("a key that nobody guesses"))
    supply = AskedSupply(awaited)
    worker._supply = supply  # type: ignore[assignment]
    worker.load_later(VERSION, "replies.1", "ticket")
    worker._loader.shutdown(wait=True)
    return supply


def test_with_a_key_a_version_is_loaded_when_its_gateway_waits_for_it(
    worker: Worker, networks: PretendedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    supply = load_signed(worker, True, monkeypatch)

    assert supply.asked == [("replies.1", "ticket")]
    assert networks.acquired == [VERSION]


@pytest.mark.parametrize("awaited", [False, SupplyError("no gateway answered in time")], ids=repr)
def test_with_a_key_a_recorded_weight_change_loads_nothing(
    awaited: bool | Exception, worker: Worker, networks: PretendedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = refusals.count

    load_signed(worker, awaited, monkeypatch)

    assert networks.acquired == []
    assert refusals.count == before + 1


def test_without_a_key_no_gateway_is_asked(worker: Worker, networks: PretendedNetworks) -> None:
    supply = AskedSupply(False)
    worker._supply = supply  # type: ignore[assignment]
    worker.load_later(VERSION, "replies.1", "ticket")
    worker._loader.shutdown(wait=True)

    assert supply.asked == []
    assert networks.acquired == [VERSION]


def test_a_flood_of_weight_changes_waits_in_bounded_memory(
    worker: Worker, networks: PretendedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    monkeypatch.setattr(worker, "_load", lambda _: "" if held.wait(SOON_SECONDS) else "late")
    before = refusals.count
    try:
        for number in range(WAITING_MAX + 100):
            worker.load_later(VERSION, "nowhere", str(number))
        assert refusals.count == before + 100
    finally:
        held.set()


def test_a_refused_batch_is_answered_as_a_failed_task(worker: Worker, replies: ReplyQueue) -> None:
    worker.tell_refused(RefusedError("it is not signed"), replies.name, "7")

    ticket, body = replies.next()

    assert (ticket, body["task_id"], body["status"], body["worker"]) == ("7", "7", "FAILURE", worker.name)
    assert body["traceback"] == f"{worker.name} refused the message: it is not signed"


def test_a_stranger_is_not_answered_with_a_signature(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(worker.sender, "send", lambda *arguments: sent.append(arguments))

    worker.tell_refused(SignatureError("it is not signed"), "replies.1", "7")
    worker.tell_refused(RefusedError("it is compressed"), "replies.1", "7")

    wait_until(lambda: len(sent) == 2, SOON_SECONDS)
    assert {(headers or {}).get(SIGNATURE) for *_, headers in sent} == {UNSIGNED[SIGNATURE], None}


def test_a_worker_whose_key_is_another_one_does_not_start(worker: Worker) -> None:
    worker._supply = PretendedSupply(KeyMismatchError("it is signed"))  # type: ignore[assignment]

    with pytest.raises(KeyMismatchError):
        worker.catch_up()
