"""A short run of the faults of gateway, database and poison batches: see tests/chaos, and docs/reliability.md."""

from __future__ import annotations

import pytest

from tests.chaos.cluster import Cluster
from tests.chaos.facing import CLIENTS, face
from tests.chaos.fault import Fault
from tests.chaos.faults.database import MoveSqlite
from tests.chaos.faults.gateway import KillGatewayProcess, ReloadGateway
from tests.chaos.faults.poison import PoisonBatch


@pytest.mark.parametrize(
    "fault", [ReloadGateway(), MoveSqlite(seconds=3.0), PoisonBatch()], ids=lambda fault: type(fault).__name__
)
def test_no_request_fails(fault: Fault, cluster: Cluster) -> None:
    faced = face(cluster, fault)
    print(faced)
    assert faced.right > 0
    assert (faced.wrong, faced.refused, faced.failed) == (0, 0, 0), faced


def test_a_killed_gateway_process_takes_its_open_requests_with_it_and_nothing_else(cluster: Cluster) -> None:
    faced = face(cluster, KillGatewayProcess())
    print(faced)
    assert faced.right > 0
    assert (faced.wrong, faced.refused) == (0, 0), faced
    assert faced.failed <= CLIENTS, faced
