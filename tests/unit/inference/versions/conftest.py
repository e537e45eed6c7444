"""What tests of weight changes start from."""

from __future__ import annotations

import pytest

from inference.versions.asking import Answers
from tests.unit.inference.versions.switching import upload
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import loaded


@pytest.fixture
def served(gateway: PretendedGateway, db: None) -> PretendedGateway:
    """A gateway that serves version 1, with two workers that load what they are asked to."""
    gateway.fleet.reports = Answers([loaded("w1"), loaded("w2")], 0)
    upload()
    return gateway
