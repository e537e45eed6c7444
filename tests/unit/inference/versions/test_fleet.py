"""What is said to the workers and to the other gateways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inference.errors import BrokerUnavailableError
from inference.versions import asking
from inference.versions import fleet as fleet_module
from inference.versions.asking import Answers
from inference.versions.fleet import Fleet
from tests.unit.pretended_gateway import PretendedReplies
from tests.unit.samples import VERSION, failed, loaded, worker_status
from workers.broker.queues import PREDICT, SUPPLY
from workers.messages.protocol import LOAD_COMMAND, STATUS_COMMAND, GatewayStatus, Report, WorkerStatus
from workers.messages.request_id import handling

SECONDS = 60.0


class PretendedPublisher:
    """Knows how many take from each queue, and hands a question to who is told to answer it."""

    def __init__(self) -> None:
        self.consumers = {PREDICT.name: 0, SUPPLY.name: 0}
        self.replies = PretendedReplies()
        self.gateway_statuses: list[GatewayStatus] = []
        self.closed = self.renewed = False
        self.commands: Callable[[str, dict[str, Any]], None] = lambda *_: None

    def count_consumers(self, queue: Any) -> int:
        return self.consumers[queue.name]

    def ask_gateways(self, reply_to: str, ticket: str) -> None:
        for status in self.gateway_statuses:
            self.replies.deliver(ticket, status.to_json())

    def command_workers(self, command: str, arguments: dict[str, Any]) -> None:
        self.commands(command, arguments)

    def renew(self) -> None:
        self.renewed = True

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def replies() -> PretendedReplies:
    return PretendedReplies()


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> PretendedPublisher:
    publisher = PretendedPublisher()
    monkeypatch.setattr(fleet_module, "Publisher", lambda: publisher)
    monkeypatch.setattr(asking, "COUNT_SECONDS", 0.005)
    return publisher


@pytest.fixture
def fleet(replies: PretendedReplies, publisher: PretendedPublisher) -> Fleet:
    return Fleet(replies)  # type: ignore[arg-type]


class Broadcasts:
    """What becomes of commands to the workers: notes what is sent, and answers it at once."""

    def __init__(self, replies: PretendedReplies, *messages: Any) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self._replies = replies
        self._messages = messages

    def __call__(self, command: str, arguments: dict[str, Any]) -> None:
        self.sent.append((command, arguments))
        kind = Report if command == LOAD_COMMAND else WorkerStatus
        for message in self._messages:
            if isinstance(message, kind):
                self._replies.deliver(arguments["ticket"], message.to_json())


def test_all_workers_load_a_version(fleet: Fleet, publisher: PretendedPublisher, replies: PretendedReplies) -> None:
    present = [worker_status("w1"), worker_status("w2")]
    broadcasts = Broadcasts(replies, failed("w2"), loaded("w1"), *present)
    publisher.commands = broadcasts
    publisher.consumers[PREDICT.name] = 2

    with handling("a-request"):
        assert fleet.load(VERSION, SECONDS) == Answers([loaded("w1"), failed("w2")], 0)
    (command, arguments), (roll_call, _) = broadcasts.sent
    assert roll_call == STATUS_COMMAND
    assert command == LOAD_COMMAND
    assert arguments == {
        "version": VERSION.to_json(),
        "request_id": "a-request",
        "reply_to": replies.queue,
        "ticket": arguments["ticket"],
    }


@pytest.mark.parametrize("present", [[], [worker_status("w2")]], ids=["silent", "another"])
def test_a_report_of_a_worker_that_left_does_not_stand_for_one_that_has_not_reported(
    present: list[WorkerStatus],
    fleet: Fleet,
    publisher: PretendedPublisher,
    replies: PretendedReplies,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleet_module, "ROLL_CALL_SECONDS", 0.02)
    publisher.commands = Broadcasts(replies, loaded("w1"), *present)
    publisher.consumers[PREDICT.name] = 1

    assert fleet.load(VERSION, 0.2) == Answers([loaded("w1")], 1)


@pytest.mark.parametrize("default", [None, VERSION])
def test_all_workers_tell_how_they_are(
    default: Any, fleet: Fleet, publisher: PretendedPublisher, replies: PretendedReplies
) -> None:
    broadcasts = Broadcasts(replies, worker_status("w1"))
    publisher.commands = broadcasts
    publisher.consumers[PREDICT.name] = 1

    assert fleet.status(default, SECONDS) == Answers([worker_status("w1")], 0)
    [(command, arguments)] = broadcasts.sent
    assert (command, arguments["default"]) == (STATUS_COMMAND, default.to_json() if default else None)


def test_all_gateways_tell_how_they_are(fleet: Fleet, publisher: PretendedPublisher, replies: PretendedReplies) -> None:
    publisher.replies = replies
    publisher.gateway_statuses = [GatewayStatus("one", 1, 256), GatewayStatus("two", 2, 256)]
    publisher.consumers[SUPPLY.name] = 2

    assert fleet.gateways(SECONDS) == Answers(publisher.gateway_statuses, 0)


def test_a_broker_that_goes_away_while_workers_are_asked_is_unavailable(
    fleet: Fleet, publisher: PretendedPublisher
) -> None:
    def lose_connection(*_: Any, **__: Any) -> None:
        raise BrokerUnavailableError("connection reset by peer")

    publisher.commands = lose_connection
    publisher.consumers[PREDICT.name] = 1

    with pytest.raises(BrokerUnavailableError):
        fleet.load(VERSION, SECONDS)


def test_when_the_reply_connection_is_a_new_one_so_is_the_one_that_commands_and_asks(
    fleet: Fleet, publisher: PretendedPublisher, replies: PretendedReplies
) -> None:
    assert not publisher.renewed
    replies.reconnect()
    assert publisher.renewed


def test_stopping_closes_the_connection(fleet: Fleet, publisher: PretendedPublisher) -> None:
    fleet.stop()

    assert publisher.closed
