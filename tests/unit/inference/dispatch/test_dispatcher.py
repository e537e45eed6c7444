"""Requests out, answers in, one step at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.dispatch.dispatcher import TURNS
from inference.dispatch.predict_input import PredictInput
from inference.errors import BusyError, ConflictError, NoNetworkError, NotFoundError
from tests.unit.samples import DIGEST, NEXT_VERSION, NN_ID, OTHER_NN_ID, VERSION, asking, only_input, reply_to
from tests.unit.sender import ALL_TURNS, IN_FLIGHT, REQUESTS_MAX, SECONDS, Sender, first_numbers, only_output
from workers.messages.arrays import to_arrays, to_tensor
from workers.messages.protocol import PredictBatch, VersionRef


def test_a_lone_request_is_sent_at_once_with_the_active_version(sender: Sender) -> None:
    sender.submit(0.5)
    sender.step()

    [(_, batch, queue, seconds_left)] = sender.publisher.sent
    assert batch == PredictBatch(VERSION, only_input([0.5, 0.0]), [1])
    assert queue == sender.replies.queue
    assert 0 < seconds_left <= SECONDS


def test_the_answer_tells_what_made_it(sender: Sender) -> None:
    request = sender.submit(0.5)
    sender.step()
    sender.answer(0)

    answer = request.result()
    assert (answer.version, only_output(request).tolist()) == (VERSION, [[0.5]])
    assert (answer.worker, answer.batch_rows, answer.inference_ms) == ("worker-1@here", 1, 0.5)
    assert answer.queue_ms >= 0


def test_requests_gather_when_enough_batches_are_in_flight(sender: Sender) -> None:
    lone = []
    for number in range(IN_FLIGHT):
        lone.append(sender.submit(number))
        sender.step()
    gathered = [sender.submit(10 + number) for number in range(3)]
    sender.steps()
    assert len(sender.publisher.sent) == IN_FLIGHT

    sender.answer(0)
    sender.steps()
    for index in range(1, IN_FLIGHT + 1):
        sender.answer(index)

    assert sender.publisher.sent[-1][1].requests == 3
    assert first_numbers(*lone, *gathered) == [0, 1, 2, 3, 10, 11, 12]


def test_a_network_whose_batches_stay_away_does_not_hold_up_another(sender: Sender) -> None:
    for number in range(IN_FLIGHT + 3):
        sender.submit(number)
        sender.step()
    assert len(sender.publisher.sent) == IN_FLIGHT

    others = []
    for number in range(IN_FLIGHT + 1):
        others.append(sender.submit(20 + number, OTHER_NN_ID))
        sender.step()
    assert len(sender.publisher.sent) == 2 * IN_FLIGHT
    for index in range(IN_FLIGHT, 2 * IN_FLIGHT):
        sender.answer(index)

    assert first_numbers(*others[:-1]) == [20, 21, 22, 23]
    sender.steps()
    sender.answer(-1)
    assert first_numbers(others[-1]) == [24]


def test_the_version_is_read_once_a_batch_just_before_it_is_sent(sender: Sender) -> None:
    asked: list[tuple[str | None, int | None]] = []
    sender.version_to_use = lambda *names: asked.append(names) or NEXT_VERSION
    requests = [sender.submit(number) for number in range(3)]
    sender.turn()
    assert asked == []
    sender.steps()
    sender.answer(0)

    assert asked == [(NN_ID, None)]
    assert {request.result().version for request in requests} == {NEXT_VERSION}


def test_each_version_is_asked_for_by_its_own_names(sender: Sender) -> None:
    others = VersionRef(OTHER_NN_ID, 5, DIGEST, DIGEST)
    older = VersionRef(NN_ID, 7, DIGEST, DIGEST)
    wanted = {(NN_ID, None): VERSION, (OTHER_NN_ID, None): others, (None, None): NEXT_VERSION, (NN_ID, 7): older}
    sender.version_to_use = lambda *names: wanted[names]
    requests = [sender.submit(nn_id=nn_id, version=version) for nn_id, version in wanted]
    for index in range(len(wanted)):
        sender.step()
        sender.answer(index)

    assert [request.result().version for request in requests] == list(wanted.values())


@pytest.mark.parametrize("error", [NoNetworkError("none"), NotFoundError("no such"), ConflictError("failed")], ids=repr)
def test_a_version_that_cannot_be_used_refuses_its_requests_and_no_others(error: Exception, sender: Sender) -> None:
    def version_to_use(nn_id: str | None, _: int | None) -> VersionRef:
        if nn_id == OTHER_NN_ID:
            raise error
        return VERSION

    sender.version_to_use = version_to_use
    refused, answered = sender.submit(nn_id=OTHER_NN_ID), sender.submit(1)
    sender.steps()
    sender.answer(0)

    assert refused.exception() is error
    assert first_numbers(answered) == [1.0]
    assert sender.dispatcher.admission.held == 0


def test_inputs_are_joined_by_name_in_whatever_order_they_came(sender: Sender) -> None:
    ids, scores = to_tensor(np.array([1, 2])), to_tensor(np.array([0.5, 0.25]))
    inputs = [{"id": ids, "score": scores}, {"score": scores, "id": ids}]
    requests = [sender.ask(PredictInput(each, False)) for each in inputs]
    sender.step()
    sender.answer(0)

    [(_, batch, *_)] = sender.publisher.sent
    assert to_arrays(batch.inputs)["id"].tolist() == [1, 2, 1, 2]
    assert to_arrays(batch.inputs)["score"].tolist() == [0.5, 0.25, 0.5, 0.25]
    for request in requests:
        outputs = request.result().outputs
        assert {name: output.tolist() for name, output in outputs.items()} == {
            "first of id": [[1], [2]],
            "first of score": [[0.5], [0.25]],
        }


def test_as_many_requests_as_may_be_held_are_held_and_no_more(sender: Sender) -> None:
    held = [sender.submit() for _ in range(REQUESTS_MAX)]
    refused = sender.submit()
    sender.turn()

    with pytest.raises(BusyError, match="Server is busy"):
        refused.result()
    assert not any(request.done() for request in held)
    assert sender.dispatcher.admission.held == REQUESTS_MAX


@pytest.mark.parametrize("sent", [False, True])
def test_a_request_given_up_frees_its_place(sent: bool, sender: Sender) -> None:
    requests = [sender.submit() for _ in range(REQUESTS_MAX)]
    sender.turn()
    if sent:
        sender.steps()
    sender.give_up(requests[0])
    assert sender.dispatcher.admission.held == REQUESTS_MAX - 1

    instead = sender.submit()
    sender.turn()
    assert sender.dispatcher.admission.held == REQUESTS_MAX
    assert not instead.done()


def test_an_answered_request_frees_its_place(sender: Sender) -> None:
    sender.submit()
    sender.step()
    sender.answer(0)

    assert sender.dispatcher.admission.held == 0


@pytest.mark.parametrize("in_flight", [0, IN_FLIGHT], ids=["just arrived", "waits for its turn"])
def test_a_request_given_up_is_not_sent(in_flight: int, sender: Sender) -> None:
    for number in range(in_flight):
        sender.submit(10 + number)
        sender.step()
    given_up, kept = sender.submit(1), sender.submit(2)
    sender.turn(ALL_TURNS if in_flight else 1)
    given_up.cancel()
    for index in range(in_flight):
        sender.answer(index)
    sender.steps()

    assert [batch.inputs for _, batch, *_ in sender.publisher.sent[in_flight:]] == [only_input([2.0, 0.0])]
    sender.answer(-1)
    assert first_numbers(kept) == [2.0]


def test_an_answer_to_a_batch_with_a_request_given_up_reaches_the_others(sender: Sender) -> None:
    given_up, kept = sender.submit(1), sender.submit(2)
    sender.step()
    sender.give_up(given_up)
    sender.answer(0)

    assert first_numbers(kept) == [2.0]


def test_a_second_answer_to_a_batch_is_dropped(sender: Sender) -> None:
    request = sender.submit(1)
    sender.step()
    receive = sender.replies.receivers[sender.publisher.sent[0][0]]
    sender.answer(0)
    receive(reply_to(only_input([9.0, 9.0])))
    sender.turn()

    assert first_numbers(request) == [1.0]


def test_batches_whose_time_is_over_make_room_for_others(sender: Sender) -> None:
    for _ in range(IN_FLIGHT):
        sender.ask(asking([0.0, 0.0], nn_id=NN_ID), seconds=0.0)
        sender.step()
    sender.submit(5)
    sender.steps()

    assert sender.publisher.sent[-1][1].inputs == only_input([5.0, 0.0])
    assert list(sender.replies.receivers) == [sender.publisher.sent[-1][0]]


def test_what_was_in_flight_is_sent_again_after_a_reconnect(sender: Sender) -> None:
    requests = [sender.submit(1), sender.submit(2)]
    sender.steps()
    sender.version_to_use = lambda *_: NEXT_VERSION
    sender.replies.reconnect()
    sender.steps()
    sender.answer(0)  # the answer of the lost batch, should it come after all
    assert not requests[0].done()
    sender.answer(1)

    assert first_numbers(*requests) == [1.0, 2.0]
    assert sender.publisher.sent[1][2] == sender.replies.queue == "replies.1'"
    assert requests[0].result().version == NEXT_VERSION


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=REQUESTS_MAX), given_up=st.sets(st.integers(0, 19)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_every_request_gets_its_own_rows_of_the_answer(sizes: list[int], given_up: set[int], sender: Sender) -> None:
    sender.publisher.sent.clear()
    numbers = iter(range(1000))
    parts = [np.array([[next(numbers), 0] for _ in range(size)], np.float32) for size in sizes]
    requests = [sender.ask(asking(*part.tolist(), nn_id=NN_ID)) for part in parts]
    sender.step()
    for index in given_up & set(range(len(requests))):
        sender.give_up(requests[index])
    sender.answer(0)

    for index, (request, part) in enumerate(zip(requests, parts, strict=True)):
        if index not in given_up:
            assert only_output(request).tolist() == part[:, :1].tolist()


def test_the_sender_sends_without_being_driven_and_stops_when_told(sender: Sender) -> None:
    sender.publisher.on_send = lambda: sender.deliver(-1)
    with sender.running():
        request = sender.submit(2)
        sender.wait(request)
        assert first_numbers(request) == [2.0]

    refused = sender.submit()
    sender.turn()
    assert isinstance(refused.exception(), BusyError)
    assert sender.publisher.closed


def test_requests_that_arrive_before_the_first_one_is_let_in_travel_with_it(sender: Sender) -> None:
    """One more than the turns that it waits for others: a request of the turn in which it arrives needs none."""
    for number in range(TURNS + 2):
        sender.submit(number)
        sender.turn(1)
    sender.steps()

    assert [batch.requests for _, batch, *_ in sender.publisher.sent] == [TURNS + 1, 1]


def test_a_request_waits_for_no_others_longer_than_that(sender: Sender) -> None:
    sender.submit()
    sender.turn(1 + TURNS)
    assert sender.outbox.empty()
    sender.turn(1)
    assert not sender.outbox.empty()
