"""A short run of the faults of workers, broker and network; docs/reliability.md has the long one."""

from __future__ import annotations

import pytest

from tests.chaos.cluster import Cluster
from tests.chaos.facing import face
from tests.chaos.fault import Fault
from tests.chaos.faults.broker import BlockBroker, KillBroker
from tests.chaos.faults.network import CutGateway
from tests.chaos.faults.workers import HangWorker, KillWorkers, StopWorker

#: Below the deadline of requests, 30 s, with room for a busy machine.
WORST_SECONDS = 25.0


@pytest.mark.parametrize(
    "fault",
    [
        KillWorkers(seconds=2.0, spare=1),
        StopWorker(),
        HangWorker(seconds=7.0),
        CutGateway(seconds=7.0),
        KillBroker(seconds=1.0),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_no_request_fails(fault: Fault, cluster: Cluster) -> None:
    faced = face(cluster, fault)
    print(faced)
    assert faced.right > 0
    assert (faced.wrong, faced.refused, faced.failed) == (0, 0, 0), faced
    assert faced.worst_seconds < WORST_SECONDS, faced


def test_while_the_broker_takes_no_messages_requests_are_refused_at_once(cluster: Cluster) -> None:
    faced = face(cluster, BlockBroker(seconds=2.0))
    print(faced)
    assert faced.refused > 0
    assert (faced.wrong, faced.failed) == (0, 0), faced
    # One second on a quiet machine.
    assert max(faced.worst_seconds, faced.worst_refusal_seconds) < 3.0, faced
