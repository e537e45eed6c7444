"""How a request ends that gets no answer: at its deadline, given up, or with the process. Nobody waits for ever."""

from __future__ import annotations

import threading
from asyncio import Task

import pytest

from inference.dispatch import dispatcher as dispatch
from inference.dispatch.answer import Answer
from inference.dispatch.dispatcher import Dispatcher
from inference.dispatch.sender import NotTakenError
from inference.dispatch.waiting import ENDED_SECONDS
from inference.errors import BusyError, ClientGoneError
from tests.unit.pretended_gateway import PretendedReplies
from tests.unit.samples import NN_ID, OTHER_NN_ID, VERSION, asking, only_input, reply_to
from tests.unit.sender import IN_FLIGHT, REQUESTS_MAX, SECONDS, SOON_SECONDS, Sender, first_numbers, only_output

ASKED = asking([0.5, 0.25], nn_id=NN_ID)
#: How far a request has come.
PLACES = ["not begun", "arrives", "waits for its turn", "is about to be sent", "is on its way", "is being answered"]


def ask_up_to(place: str, sender: Sender, seconds: float = SECONDS) -> Task[Answer]:
    """A request that has come so far."""
    if place == "waits for its turn":
        for _ in range(IN_FLIGHT):
            sender.submit()
            sender.step()
    request = sender.ask(ASKED, seconds)
    if place == "arrives":
        sender.turn(1)
    elif place != "not begun":
        sender.turn()
    if place in ("is on its way", "is being answered"):
        sender.send_next()
    if place == "is being answered":
        sender.deliver(0)
    return request


def answer_all(sender: Sender) -> None:
    sender.steps()
    for index in range(len(sender.publisher.sent)):
        sender.answer(index)
    sender.steps()


def assert_nothing_is_left(sender: Sender) -> None:
    dispatcher = sender.dispatcher
    assert (dispatcher.admission.held, dispatcher.batches_in_flight) == (0, 0)
    assert (len(dispatcher._arriving), len(dispatcher._coalescer), sender.outbox.qsize()) == (0, 0, 0)
    assert sender.replies.receivers == {}


@pytest.mark.parametrize("place", PLACES)
def test_a_request_whose_task_is_cancelled_leaves_nothing_wherever_it_is(place: str, sender: Sender) -> None:
    request = ask_up_to(place, sender)
    others = sender.dispatcher.admission.held - (place != "not begun")
    sender.give_up(request)

    assert request.cancelled()
    assert sender.dispatcher.admission.held == others
    answer_all(sender)
    assert_nothing_is_left(sender)


@pytest.mark.parametrize("place", PLACES[1:-1])
def test_nobody_waits_longer_than_asked_and_what_comes_later_is_dropped(
    place: str, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask_up_to(place, sender)
    held, now = sender.dispatcher.admission.held, dispatch.monotonic()
    sender.sweep()
    assert sender.dispatcher.admission.held == held

    monkeypatch.setattr(dispatch, "monotonic", lambda: now + SECONDS)
    sent = [sender.replies.receivers[batch_id] for batch_id, *_ in sender.publisher.sent]
    sender.sweep()
    with pytest.raises(TimeoutError):
        request.result()
    assert sender.dispatcher.admission.held == 0

    for receive in sent:
        receive(reply_to(only_input([1.0, 0.0])))
    sender.turn()
    with pytest.raises(TimeoutError):
        request.result()
    answer_all(sender)
    assert_nothing_is_left(sender)


def test_while_nothing_can_be_sent_requests_end_at_their_deadline_and_free_their_places(sender: Sender) -> None:
    sender.replies.connected = False
    requests = [sender.ask(ASKED, seconds=0.0) for _ in range(REQUESTS_MAX)]
    sender.turn()
    sender.sweep()

    assert [type(request.exception()) for request in requests] == [TimeoutError] * REQUESTS_MAX
    assert_nothing_is_left(sender)


def test_an_answer_that_is_there_before_the_deadline_is_looked_at_counts(sender: Sender) -> None:
    request = sender.ask(ASKED, seconds=0.0)
    sender.turn()
    sender.send_next()
    sender.deliver(0)
    sender.sweep()

    assert first_numbers(request) == [0.5]


def test_one_that_comes_again_has_no_longer_than_it_had(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    now = dispatch.monotonic()
    request = sender.submit(1)
    sender.steps()
    monkeypatch.setattr(dispatch, "monotonic", lambda: now + SECONDS / 2)
    sender.replies.reconnect()
    sender.steps()
    assert not request.done()

    monkeypatch.setattr(dispatch, "monotonic", lambda: now + SECONDS + 1)
    sender.sweep()
    with pytest.raises(TimeoutError):
        request.result()
    assert_nothing_is_left(sender)


def test_started_it_looks_for_those_whose_time_is_over(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "SWEEP_SECONDS", 0.01)
    with sender.running():
        request = sender.ask(ASKED, seconds=0.05)
        sender.wait(request)

    assert isinstance(request.exception(), TimeoutError)


def test_a_look_that_fails_is_not_the_last_one(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "SWEEP_SECONDS", 0.01)
    looks: list[None] = []

    def fail() -> None:
        looks.append(None)
        raise ValueError("a defect")

    monkeypatch.setattr(sender.dispatcher._coalescer, "drop_given_up", fail)
    with sender.running():
        request = sender.ask(ASKED, seconds=0.05)
        sender.wait(request)

    assert isinstance(request.exception(), TimeoutError)
    assert {str(defect["exception"]) for defect in sender.defects} == {"a defect"}
    assert len(sender.defects) == len(looks)
    sender.defects.clear()


def test_a_request_whose_client_has_gone_while_it_waited_long_is_given_up(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.replies.connected = False
    gone, there = sender.ask(ASKED, client_has_ended=lambda: True), sender.ask(ASKED, client_has_ended=lambda: False)
    sender.turn()
    sender.sweep()
    assert not gone.done()

    now = dispatch.monotonic() + ENDED_SECONDS
    monkeypatch.setattr("inference.dispatch.coalescer.monotonic", lambda: now)
    sender.sweep()
    assert isinstance(gone.exception(), ClientGoneError)
    assert (there.done(), sender.dispatcher.admission.held) == (False, 1)


@pytest.mark.parametrize("place", PLACES[1:-1])
def test_what_still_waits_when_the_process_stops_is_given_up(place: str, sender: Sender) -> None:
    request = ask_up_to(place, sender)
    sender.dispatcher.stop()
    sender.turn()

    with pytest.raises(BusyError, match="Server is busy"):
        request.result()
    assert sender.dispatcher.admission.held == 0


def test_the_threads_may_tell_a_loop_that_has_ended_whatever_they_will(sender: Sender) -> None:
    sender.submit(1), sender.submit(2, OTHER_NN_ID)
    sender.steps()
    sender.close()

    sender.deliver(0)
    sender.dispatcher._come_back(sender.publisher.sent[1][0], NotTakenError("gone"))
    sender.replies.reconnect()
    sender.replies.alarm.sound()
    sender.dispatcher.stop()


def test_before_it_is_started_it_takes_nothing_and_hears_of_the_broker(sender: Sender) -> None:
    replies = PretendedReplies()
    dispatcher = Dispatcher(replies, lambda *_: VERSION, REQUESTS_MAX)  # type: ignore[arg-type]
    replies.reconnect()
    replies.alarm.sound()
    replies.alarm.end()

    with pytest.raises(BusyError):
        sender.loop.run_until_complete(dispatcher.predict(ASKED, SECONDS))
    assert dispatcher.admission.held == 0


def test_of_many_threads_that_end_it_at_once_one_does(sender: Sender) -> None:
    for round_ in range(20):
        first = len(sender.publisher.sent)
        request = sender.submit(float(round_))
        sender.step()
        batch_id, batch, *_ = sender.publisher.sent[first]
        receive, barrier = sender.replies.receivers[batch_id], threading.Barrier(4)
        acts = [
            lambda receive=receive, batch=batch: receive(reply_to(batch.inputs)),
            lambda receive=receive, batch=batch: receive(reply_to(batch.inputs, "worker-2@here")),
            lambda batch_id=batch_id: sender.dispatcher._come_back(batch_id, NotTakenError("gone")),
            sender.replies.reconnect,
        ]
        threads = [threading.Thread(target=_after, args=(barrier, act)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON_SECONDS)
        sender.steps(2)
        for index in range(first + 1, len(sender.publisher.sent)):
            sender.answer(index)

        assert only_output(request).tolist() == [[round_]]
        assert len(sender.publisher.sent) <= first + 2
        assert_nothing_is_left(sender)


def _after(barrier: threading.Barrier, act: object) -> None:
    barrier.wait(SOON_SECONDS)
    act()  # type: ignore[operator]
