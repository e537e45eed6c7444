"""How many requests a gateway process holds, and may."""

from __future__ import annotations

import pytest

from inference.dispatch.admission import Admission
from inference.dispatch.waiting import Waiting
from inference.errors import BusyError
from tests.unit.inference.dispatch.waiting_samples import waiting
from tests.unit.samples import asking
from workers.broker.queues import QUEUE_BATCHES_MAX


def request(deadline: float = 1.0) -> Waiting:
    return waiting(asking([0.5, 0.25]), deadline=deadline)


def test_as_many_are_held_as_may_be_and_one_more_when_one_has_ended() -> None:
    admission = Admission(2)
    first, second, third = request(), request(), request()
    admission.admit(first)
    assert not admission.full
    admission.admit(second)

    assert admission.full
    with pytest.raises(BusyError, match="Server is busy"):
        admission.admit(third)
    assert admission.held == 2

    admission.release(first)
    admission.admit(third)
    assert admission.held == 2


@pytest.mark.parametrize(
    ("gateways", "most"),
    [(1, 20), (QUEUE_BATCHES_MAX // 10, 10), (QUEUE_BATCHES_MAX, 1), (2 * QUEUE_BATCHES_MAX, 1)],
)
def test_gateways_share_what_the_brokers_queue_takes_and_each_may_hold_one(gateways: int, most: int) -> None:
    admission = Admission(20)
    admission.share(gateways)
    assert admission.most == most


def test_those_are_late_whose_time_is_over_and_that_are_held_still() -> None:
    admission = Admission(9)
    requests = [request(deadline) for deadline in (4.0, 2.0, 3.0, 1.0)]  # each client says how long it waits
    for each in requests:
        admission.admit(each)
    admission.release(requests[1])

    assert list(admission.late(0.5)) == []
    assert list(admission.late(3.0)) == [requests[2], requests[3]]


def test_one_may_be_released_while_the_late_ones_are_looked_at() -> None:
    admission = Admission(9)
    for _ in range(3):
        admission.admit(request())
    for each in admission.late(9.0):
        admission.release(each)

    assert admission.held == 0
