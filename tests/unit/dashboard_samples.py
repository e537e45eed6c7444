"""What the dashboard's tests start from, and how they read its page."""

from __future__ import annotations

import re
from dataclasses import replace

from django.utils import timezone

from inference.dispatch.predict_input import PREDICT_DOOR
from inference.statistics.timing import Timing
from inference.statistics.timings import Timings
from inference.versions.asking import Answers
from tests.unit.admin_samples import past
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, activated, worker_status
from workers.messages.protocol import WorkerStatus

PAGE, PARTS = "/admin/", "/admin/dashboard/"


def set_running(gateway: PretendedGateway) -> None:
    """Version 2 is active, two workers show it, and 100 requests have come, one of which failed."""
    activated(past()[1])
    gateway.fleet.statuses = Answers([showing("w1"), showing("w2")], 0)
    timings = Timings()
    for number in range(100):
        outcome = "failed" if number == 0 else "answered"
        total_ms = 3.0 if number < 90 else 40.0
        timings.add(Timing(timezone.now(), NN_ID, 2, "w1", 1, 1, total_ms, 0.5, 0.25, outcome, PREDICT_DOOR))
    timings.flush()


def showing(worker: str, number: int = 2) -> WorkerStatus:
    """A worker that shows a version of the default network."""
    return replace(worker_status(worker), number=number)


def shown(page: str, part: str) -> str:
    """The text of the element of an id, without what is in it."""
    found = re.search(rf'id="{part}"[^>]*>([^<]*)', page)
    assert found, part
    return found.group(1).strip()


def data(page: str, part: str, name: str) -> str:
    """An attribute of the element of an id."""
    found = re.search(rf'id="{part}"[^>]*\bdata-{name}="([^"]*)"', page)
    assert found, (part, name)
    return found.group(1)
