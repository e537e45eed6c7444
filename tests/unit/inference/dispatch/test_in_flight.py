"""The batches that are on their way."""

from __future__ import annotations

from inference.dispatch.batch import Batch
from inference.dispatch.in_flight import InFlight
from tests.unit.inference.dispatch.waiting_samples import waiting
from tests.unit.samples import NN_ID, OTHER_NN_ID, asking


def batch(nn_id: str = NN_ID, deadline: float = 1.0) -> Batch:
    return Batch([waiting(asking([0.5], nn_id=nn_id), deadline=deadline)])


def in_flight(*batches: Batch) -> InFlight:
    all_of_them = InFlight()
    for each in batches:
        all_of_them.add(each)
    return all_of_them


def test_each_is_removed_once_and_is_withdrawn_from_then_on() -> None:
    first, second = batch(), batch()
    batches = in_flight(first, second)

    assert (len(batches), batches.ids()) == (2, [first.id, second.id])
    assert batches.remove(first.id) is first
    assert batches.remove(first.id) is None
    assert batches.ids() == [second.id]
    assert (first.withdrawn, second.withdrawn) == (True, False)


def test_a_kind_is_full_while_as_many_of_it_are_on_their_way_as_may_be() -> None:
    first, second, other = batch(), batch(), batch(OTHER_NN_ID)
    batches = in_flight(first, second, other)

    assert batches.full(1) == {first.key, other.key}
    assert batches.full(2) == {first.key}
    batches.remove(first.id)
    assert batches.full(2) == set()
    batches.remove(other.id)
    assert batches.full(1) == {second.key}


def test_those_are_late_that_nobody_waits_for_any_more() -> None:
    soon, later = batch(deadline=1.0), batch(deadline=2.0)

    assert in_flight(later, soon).late(1.5) == [soon.id]
