"""Many weight changes, and many architectures, leave no process with more memory than it may keep."""

from __future__ import annotations

from pathlib import Path

from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.samples import NN_IDS
from tests.support.switching import Switches, memory_megabytes
from tests.support.system import System
from tests.support.uploads import uploads

#: Weight changes before anything is measured: each process has then compiled, connected and allocated what it keeps.
WARM_UP = 50
SWITCHES = 1000
ARCHITECTURES = 60
MEGABYTES = 20.0
#: TensorFlow keeps 0.2 to 0.4 MB of each architecture that it has compiled; its weights alone would be 1.4 MB.
MEGABYTES_AN_ARCHITECTURE = 0.7


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


def test_architectures_that_are_replaced_leave_nothing_behind(rabbitmq: PrivateNode, directory: Path) -> None:
    for system in running(System(directory, rabbitmq.url), workers=1):
        switch_architectures(system, range(15))
        before = memory_megabytes(system)
        switch_architectures(system, range(15, 15 + ARCHITECTURES))
        after = memory_megabytes(system)
    grown = {name: after[name] - before[name] for name in before}
    print(f"\ngrown by MB: {grown}")
    assert max(grown.values()) < ARCHITECTURES * MEGABYTES_AN_ARCHITECTURE, grown


def switch_architectures(system: System, numbers: range) -> None:
    """Upload `.keras` archives of 1.5 MB of weights, each of an architecture that no other has, for one network."""
    import keras

    path = system.directory / "new.keras"
    for number in numbers:
        hidden = [keras.layers.Dense(600, name=f"wide_{number}"), keras.layers.Dense(600)]
        keras.Sequential([keras.Input((2,)), *hidden, keras.layers.Dense(1)]).save(path)
        answer = system.client.set_weights(NN_IDS[0], path.name, path.read_bytes())
        assert answer["status"] is True, answer
