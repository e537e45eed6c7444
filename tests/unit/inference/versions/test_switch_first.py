"""An upload that is to be the first network, and nothing else: refused where another one is active, and no failure."""

from __future__ import annotations

from typing import Any

import pytest

from inference.errors import AlreadyActiveError
from inference.gateway import gateway as this_gateway
from inference.models import Activation, Version
from inference.monitoring import observations
from inference.versions.asking import Answers
from tests.unit.inference.versions.switching import MORE_WEIGHTS, WEIGHTS, upload
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, OTHER_NN_ID, active_number, loaded
from workers.messages.protocol import Report, VersionRef

pytestmark = pytest.mark.django_db


def test_a_sample_that_is_overtaken_while_workers_load_it_is_no_failure(gateway: PretendedGateway) -> None:
    """It becomes not active, and nothing is to be seen that went wrong: all workers loaded it."""
    gateway.fleet.reports = Answers([loaded("w1"), loaded("w2")], 0)
    sample: list[Activation] = []

    def overtaken(version: VersionRef, *_: Any) -> Answers[Report]:
        if version.nn_id == NN_ID:
            upload(MORE_WEIGHTS, OTHER_NN_ID)
            sample.append(Activation.objects.get(version__network=NN_ID))
        return Answers([loaded("w1"), loaded("w2")], 0)

    gateway.fleet.load = overtaken  # type: ignore[method-assign]
    observations.switches.clear()
    with pytest.raises(AlreadyActiveError, match=OTHER_NN_ID):
        this_gateway().switch.set_weights(NN_ID, "sample.b64", WEIGHTS, "scripts/serve", only_first=True)

    sample[0].refresh_from_db()
    assert (sample[0].outcome, sample[0].version.state) == (Activation.Outcome.NOT_FIRST, Version.State.LOADED)
    assert OTHER_NN_ID in sample[0].detail
    assert [outcome for _, outcome, _ in observations.switches] == ["activated", "not_first"]
    assert (active_number(OTHER_NN_ID), active_number()) == (1, None)


def test_an_upload_that_is_to_be_the_first_is_not_even_stored_where_one_is_active(gateway: PretendedGateway) -> None:
    gateway.fleet.reports = Answers([loaded("w1")], 0)
    upload()

    with pytest.raises(AlreadyActiveError):
        this_gateway().switch.set_weights(NN_ID, "sample.b64", MORE_WEIGHTS, "scripts/serve", only_first=True)
    assert Version.objects.count() == 1
