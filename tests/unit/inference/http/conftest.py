"""What tests of uploads share."""

from __future__ import annotations

import pytest

from inference.versions.switch import VersionSwitch
from tests.unit.inference.http.uploading import Switches


@pytest.fixture
def switches(monkeypatch: pytest.MonkeyPatch) -> Switches:
    switches = Switches()
    monkeypatch.setattr(VersionSwitch, "set_weights", switches)
    return switches
