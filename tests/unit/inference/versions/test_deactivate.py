"""A network of which no version is active any more: what names it alone finds none, its versions are still there."""

from __future__ import annotations

import pytest

from inference.dispatch.news import Switched
from inference.errors import ConflictError, NotFoundError
from inference.models import DefaultNetwork, Network, Version
from inference.versions import history
from inference.versions.selectors import active_versions, version_to_use
from inference.versions.services import deactivate
from tests.unit.inference.versions.switching import upload
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, active_number


@pytest.fixture(autouse=True)
def called(served: PretendedGateway) -> None:
    """Versions 1 and 2 of a network with a name."""
    upload(b"more weights")
    served.fleet.told.clear()
    Network.objects.update(name="iris")


@pytest.mark.parametrize("network", [NN_ID, "iris"])
def test_none_of_its_versions_is_active_and_each_answers_by_its_number(network: str) -> None:
    assert deactivate(network, "somebody") == NN_ID

    assert active_number() is None
    assert active_versions() == []
    for asked in (network, None):
        with pytest.raises(NotFoundError, match="no active version"):
            version_to_use(asked, None)
    assert version_to_use(network, 1).number == 1
    assert {version.state for version in Version.objects.all()} == {Version.State.LOADED}


def test_it_may_be_done_twice_and_the_network_stays_the_default_one() -> None:
    assert [deactivate("iris", "somebody") for _ in range(2)] == [NN_ID] * 2

    assert DefaultNetwork.objects.get().network_id == NN_ID


@pytest.mark.parametrize("network", ["nobody", "f" * 32])
def test_one_that_there_is_not_is_told(network: str) -> None:
    with pytest.raises(NotFoundError):
        deactivate(network, "somebody")


@pytest.mark.parametrize("network", [NN_ID, "iris"])
def test_all_gateways_hear_of_it(network: str, served: PretendedGateway) -> None:
    served.switch.deactivate(network, "somebody")

    assert served.fleet.told == [Switched(NN_ID)]


def test_what_was_active_last_is_what_a_load_makes_active_again(served: PretendedGateway) -> None:
    assert history.version_to_load("iris").number == 2
    served.switch.activate("iris", 1, "somebody")
    deactivate("iris", "somebody")
    assert history.version_to_load("iris").number == 1
    Version.objects.filter(number=1).update(state=Version.State.DELETED)
    assert history.version_to_load("iris").number == 2
    Version.objects.update(state=Version.State.DELETED)
    with pytest.raises(ConflictError, match="has no version that has been active"):
        history.version_to_load("iris")


def test_the_active_one_is_loaded_again_although_there_is_a_later_one(served: PretendedGateway) -> None:
    served.switch.activate("iris", 1, "somebody")

    assert history.version_to_load("iris").number == 1


def test_there_is_nothing_to_roll_back_from() -> None:
    deactivate("iris", "somebody")

    with pytest.raises(ConflictError, match="no active version"):
        history.version_before("iris")
