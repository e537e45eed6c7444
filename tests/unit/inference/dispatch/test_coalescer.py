"""Which waiting requests travel together."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.dispatch import waiting as waiting_module
from inference.dispatch.coalescer import Coalescer
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.waiting import ENDED_SECONDS, Waiting
from inference.errors import ClientGoneError
from tests.unit.inference.dispatch.waiting_samples import waiting
from tests.unit.samples import NN_ID, OTHER_NN_ID
from workers.messages.arrays import to_tensor
from workers.messages.tensors import ONLY_INPUT

CAP = 4


@pytest.fixture(autouse=True, scope="module")
def _small_batches() -> object:
    """A row cap that a few requests reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting_module, "MAX_BATCH_ROWS", CAP)
        yield


def request(
    nn_id: str | None = NN_ID,
    rows: int = 1,
    columns: int = 2,
    dtype: str = "float32",
    version: int | None = None,
    names: tuple[str, ...] = (ONLY_INPUT,),
    alone: bool = False,
) -> Waiting:
    inputs = {name: to_tensor(np.zeros((rows, columns), dtype)) for name in names}
    return waiting(PredictInput(inputs, rows == 1, nn_id, version), alone=alone)


def fill(*requests: Waiting) -> Coalescer:
    coalescer = Coalescer()
    for item in requests:
        coalescer.add(item)
    return coalescer


def take_all(coalescer: Coalescer) -> list[list[Waiting]]:
    batches = []
    while len(coalescer):
        batches.append(coalescer.take())
    return batches


def test_nothing_waits_at_first() -> None:
    assert Coalescer().take() == []


def test_requests_of_one_network_travel_together_in_order_of_arrival() -> None:
    requests = [request(), request(), request()]

    assert fill(*requests).take() == requests


DIFFERENT = [
    request(OTHER_NN_ID), request(None), request(version=1), request(columns=3), request(dtype="float64"),
    request(names=("a",)), request(names=("a", "b")),
]  # fmt: skip


@pytest.mark.parametrize("other", DIFFERENT, ids=lambda each: repr(each.key[:3]))
def test_requests_that_differ_in_version_inputs_shape_or_dtype_travel_apart(other: Waiting) -> None:
    first = request()

    assert take_all(fill(first, other)) == [[first], [other]]


def test_the_order_in_which_inputs_are_named_is_no_difference() -> None:
    requests = [request(names=("a", "b")), request(names=("b", "a"))]

    assert fill(*requests).take() == requests


def test_a_request_that_must_travel_alone_does() -> None:
    requests = [request(alone=True), request(), request(alone=True), request()]

    assert take_all(fill(*requests)) == [requests[:1], requests[1::2], requests[2:3]]
    assert requests[0].key == requests[2].key != requests[1].key


def test_requests_of_different_row_counts_travel_together() -> None:
    requests = [request(rows=1), request(rows=3)]

    assert fill(*requests).take() == requests


def test_a_batch_does_not_exceed_the_row_cap() -> None:
    requests = [request(rows=3), request(rows=2), request(rows=2), request(rows=1)]

    assert take_all(fill(*requests)) == [requests[:1], requests[1:3], requests[3:]]


def test_a_batch_does_not_exceed_what_a_message_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    one = request()
    monkeypatch.setattr(waiting_module, "TENSORS_BYTES_MAX", 2 * one.asked.size_bytes)
    requests = [one, request(), request(), request(rows=3), request()]

    assert take_all(fill(*requests)) == [requests[:2], requests[2:3], requests[3:4], requests[4:]]


def test_a_request_larger_than_the_cap_travels_alone() -> None:
    requests = [request(), request(rows=CAP + 5), request()]

    assert take_all(fill(*requests)) == [requests[:1], requests[1:2], requests[2:]]


def test_networks_take_turns() -> None:
    busy = [request(rows=CAP) for _ in range(3)]
    quiet = request(OTHER_NN_ID)

    assert take_all(fill(*busy, quiet)) == [busy[:1], [quiet], busy[1:2], busy[2:]]


def test_a_network_that_is_full_is_passed_over_and_keeps_its_turn() -> None:
    full, quiet = [request(), request()], request(OTHER_NN_ID)
    coalescer = fill(*full, quiet)

    assert coalescer.has_other_than({full[0].key})
    assert coalescer.take({full[0].key}) == [quiet]
    assert not coalescer.has_other_than({full[0].key})
    assert coalescer.take({full[0].key}) == []
    assert len(coalescer) == 2
    assert coalescer.take() == full


def test_a_request_given_up_is_left_out() -> None:
    requests = [request(), request(), request()]
    coalescer = fill(*requests)
    requests[1].future.cancel()

    assert coalescer.take() == [requests[0], requests[2]]
    assert len(coalescer) == 0


def test_when_all_were_given_up_nothing_is_taken() -> None:
    requests = [request(), request()]
    coalescer = fill(*requests)
    for item in requests:
        item.future.cancel()

    assert coalescer.take() == []
    assert len(coalescer) == 0


def test_requests_given_up_are_let_go_of_while_nothing_is_taken() -> None:
    requests = [request(), request(), request(OTHER_NN_ID), request()]
    coalescer = fill(*requests)
    for item in (requests[0], requests[2]):
        item.future.cancel()

    coalescer.drop_given_up()

    assert len(coalescer) == 2
    assert take_all(coalescer) == [[requests[1], requests[3]]]


def test_what_is_put_back_goes_before_what_came_later() -> None:
    first, second, third = request(), request(), request()
    coalescer = fill(first, second)
    taken = coalescer.take()
    coalescer.add(third)

    coalescer.put_back(taken)

    assert len(coalescer) == 3
    assert coalescer.take() == [first, second, third]


requests = st.builds(
    request,
    st.sampled_from([None, NN_ID, OTHER_NN_ID]),
    st.integers(1, CAP + 2),
    st.integers(1, 2),
    st.sampled_from(["float64", "bool"]),
    st.sampled_from([None, 1]),
    st.sampled_from([("",), ("a", "b"), ("b", "a")]),
    st.booleans(),
)
#: Add a request, take a batch, put the last batch back, drop or give up requests.
steps = st.lists(
    requests
    | st.just("take")
    | st.just("put back")
    | st.just("drop")
    | st.tuples(st.just("give up"), st.integers(0, 20)),
    max_size=40,
)


@given(steps)
def test_whatever_happens_every_request_is_taken_once_in_the_order_of_its_key(steps: list[object]) -> None:
    coalescer, added, taken, last = Coalescer(), [], [], []
    for step in steps:
        match step:
            case "take":
                last = coalescer.take()
                taken += last
            case "put back":
                coalescer.put_back(last)
                taken = taken[: len(taken) - len(last)]
                last = []
            case "drop":
                coalescer.drop_given_up()
            case ("give up", int(index)) if index < len(added) and added[index] not in taken:
                added[index].future.cancel()
            case Waiting():
                added.append(step)
                coalescer.add(step)
    taken += [item for batch in take_all(coalescer) for item in batch]

    assert len(taken) == len(set(taken))
    wanted = [item for item in added if not item.future.done()]
    assert set(wanted) <= set(taken)
    for key in {item.key for item in added}:
        assert [item for item in taken if item.key == key] == [
            item for item in added if item.key == key and item in taken
        ]


@given(st.lists(requests, max_size=30))
def test_every_batch_has_one_key_and_no_more_rows_than_the_cap(wanted: list[Waiting]) -> None:
    for batch in take_all(fill(*wanted)):
        assert len({item.key for item in batch}) == 1
        assert len(batch) == 1 or sum(item.asked.rows_count for item in batch) <= CAP
        assert len(batch) == 1 or not any(item.alone for item in batch)


@given(st.lists(requests, max_size=30), st.lists(requests, max_size=3))
def test_whatever_is_full_everything_else_is_taken_and_nothing_of_it(
    wanted: list[Waiting], full: list[Waiting]
) -> None:
    full_keys = {item.key for item in full}
    coalescer = fill(*wanted)
    taken = []
    while coalescer.has_other_than(full_keys):
        taken += coalescer.take(full_keys)

    assert set(taken) == {item for item in wanted if item.key not in full_keys}
    assert len(coalescer) == len(wanted) - len(taken)


@given(st.lists(requests, max_size=30))
def test_no_network_gets_a_second_turn_while_another_waits_for_its_first(wanted: list[Waiting]) -> None:
    turns = [batch[0].key for batch in take_all(fill(*wanted))]

    different = len(set(turns))
    assert len(set(turns[:different])) == different


def test_a_request_that_waited_long_and_whose_client_has_ended_its_side_is_given_up() -> None:
    now, long_ago = monotonic(), monotonic() - ENDED_SECONDS - 1
    inputs = request().asked
    gone = waiting(inputs, long_ago, now + 9, client_has_ended=lambda: True)
    there = waiting(inputs, long_ago, now + 9, client_has_ended=lambda: False)
    lately = waiting(inputs, now, now + 9, client_has_ended=lambda: pytest.fail("a fast request pays nothing"))

    assert fill(gone, there, lately).take() == [there, lately]
    outcome = gone.future.result()
    assert isinstance(outcome, ClientGoneError)
    assert "busy" in str(outcome)


def test_nothing_is_kept_for_clients_that_have_gone_while_no_batch_can_be_sent() -> None:
    gone = waiting(request().asked, monotonic() - ENDED_SECONDS - 1, monotonic() + 9, client_has_ended=lambda: True)
    coalescer = fill(gone)

    coalescer.drop_given_up()

    assert len(coalescer) == 0
    assert gone.future.done()
