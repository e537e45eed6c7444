"""What the admin's tests start from: people of each group, and a network with a past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inference.models import PredictionTiming, Version
from inference.versions.uploads import store_version
from tests.unit.samples import NN_ID, activated, failed, failed_activation, loaded
from workers.settings import ROOT

NETWORK = f"/admin/inference/network/{NN_ID}"
UPLOAD = "/admin/inference/network/upload/"
JSON = {"HTTP_ACCEPT": "application/json"}
TRACE = "Traceback (most recent call last):\nWeightsError: <script>alert(1)</script>"
ARCHITECTURE_TEXT = (ROOT / "data" / "sum_network.json").read_bytes()


def person(group: str | None, name: str = "somebody") -> Client:
    """A browser in which a member of a group has logged in; of none, staff who may do nothing."""
    user = User.objects.create_user(name, is_staff=True)
    if group:
        user.groups.add(Group.objects.get(name=group))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def past(nn_id: str = NN_ID) -> list[Version]:
    """Versions 1 and 2 were active, 3 failed on one of two workers; 2 is active."""
    versions = [store_version(nn_id, f"{name}.h5", name.encode(), ARCHITECTURE_TEXT) for name in ("one", "two", "bad")]
    activated(versions[0])
    activated(versions[1])
    failed_activation(versions[2], loaded("w1"), failed("w2", TRACE))
    return versions


def timing(at: datetime | None = None, **fields: Any) -> PredictionTiming:
    """A request, answered by version 2 unless the fields say otherwise."""
    usual: dict[str, Any] = {
        "nn_id": NN_ID, "version": 2, "worker": "w1", "rows": 1, "batch_rows": 3, "total_ms": 2.351, "queue_ms": 0.5,
        "inference_ms": 0.25, "outcome": "answered",
    }  # fmt: skip
    return PredictionTiming.objects.create(at=at or timezone.now(), **usual | fields)


def ago(**time: float) -> datetime:
    """A time in the past."""
    return timezone.now() - timedelta(**time)


def text(client: Client, path: str, status: int = 200) -> str:
    """The text of a page that is answered with this status."""
    response = client.get(path)
    assert response.status_code == status, (path, response.status_code)
    return response.content.decode()


def queries(read: Callable[[], object]) -> int:
    """How many queries something takes."""
    with CaptureQueriesContext(connection) as captured:
        read()
    return len(captured)


def form(content: bytes = b"\x89HDF\r\n\x1a\nweights", nn_id: str = NN_ID) -> dict[str, Any]:
    return {"nn_id": nn_id, "data": SimpleUploadedFile("new.weights.h5", content)}
