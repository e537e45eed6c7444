"""Uploads to PUT /set_weights, and what stands in for the switch behind it."""

from __future__ import annotations

from typing import IO, Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from inference.models import Activation, Network, Version
from inference.versions.switch import SwitchResult
from tests.unit.samples import NN_ID, loaded
from workers.messages.terms import Terms

OCTETS = "application/octet-stream"


class Switches:
    """Stands in for `set_weights`: notes what is uploaded, answers what it is told to."""

    def __init__(self) -> None:
        self.uploads: list[tuple[str, str, bytes, str]] = []
        self.outcome: Any = [loaded("w1")]
        self.only_first: bool | None = None
        self.terms: Terms | None = None
        self.name: str | None = None

    def __call__(
        self,
        nn_id: str,
        file_name: str,
        weights: IO[bytes],
        requested_by: str,
        only_first: bool,
        terms: Terms,
        name: str | None,
    ) -> SwitchResult:
        weights.seek(0)
        self.only_first, self.terms, self.name = only_first, terms, name
        self.uploads.append((nn_id, file_name, weights.read(), requested_by))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        network = Network(nn_id=nn_id)
        version, previous = Version(network=network, number=4), Version(network=network, number=3)
        asked = len(self.outcome)
        activation = Activation(version=version, previous=previous, workers_asked=asked, workers_answered=asked)
        return SwitchResult(activation, self.outcome)


def put(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    given = {"nn_id": NN_ID, "data": SimpleUploadedFile("w.b64", b"QUJD\n", OCTETS), **fields}
    form = encode_multipart(BOUNDARY, {name: value for name, value in given.items() if value is not None})
    return client.put("/set_weights", form, content_type=MULTIPART_CONTENT, headers=headers)
