"""A thousand weight changes leave a worker with no more memory than it may keep."""

from __future__ import annotations

from pathlib import Path

from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.switching import Switches, memory_megabytes
from tests.support.system import System
from tests.support.uploads import uploads

#: Weight changes before anything is measured: each process has then compiled, connected and allocated what it keeps.
WARM_UP = 50
SWITCHES = 1000
MEGABYTES = 20.0


def test_a_thousand_switches_grow_no_process_by_20_megabytes(rabbitmq: PrivateNode, directory: Path) -> None:
    among = uploads(WARM_UP + SWITCHES)
    for system in running(System(directory, rabbitmq.url), workers=1):
        switches = Switches()
        switches.upload_all([system.client], among[:WARM_UP])
        before = memory_megabytes(system)
        switches.upload_all([system.client], among[WARM_UP:])
        after = memory_megabytes(system)
    assert (len(switches.done), switches.refused) == (len(among), [])
    grown = {name: after[name] - before[name] for name in before}
    print(f"\ngrown by MB: {grown}")
    assert max(grown.values()) < MEGABYTES, grown
