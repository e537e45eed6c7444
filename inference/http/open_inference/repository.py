"""Triton's model repository: which networks there are, weights that come with a load, and unloading."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from inference.access.rights import STATUS, WEIGHTS
from inference.errors import BadInputError, BusyError, ConflictError, TooLargeError
from inference.gateway import gateway
from inference.http.bodies.body_limit import load_bytes_max, refuse_larger
from inference.http.bodies.json_format import read_json
from inference.http.bodies.upload_files import decoded
from inference.http.error_texts import ProtocolView
from inference.http.requester import requester
from inference.http.weight_changes import weight_change
from inference.models import Version
from inference.versions import history
from inference.versions.signatures import called
from inference.versions.switch import SwitchResult
from workers.messages.protocol import is_nn_id

#: What a file's parameter begins with; then come a version, which this gateway counts itself, and the file's name.
FILE = "file:"
FILE_NAME_CHARACTERS_MAX = 255
VERSIONS_MAX = 10_000
LARGE_LOAD_BYTES, LARGE_LOADS_MAX = 32 * 1024**2, 2
_large_loads = BoundedSemaphore(LARGE_LOADS_MAX)


class Index(ProtocolView):
    """POST /v2/repository/index."""

    right = STATUS

    def post(self, request: Request) -> Response:
        """Every version that is not deleted; with `ready`, those that answer."""
        ready = _json_of(request, settings.PIPELINE_MAX_BODY_BYTES).get("ready", False)
        if not isinstance(ready, bool):
            raise BadInputError("ready must be true or false")
        return Response(index(ready))


class Load(ProtocolView):
    """POST /v2/repository/models/M/load: a weight change, with all that it promises."""

    right = WEIGHTS

    def post(self, request: Request, network: str) -> Response:
        """Make the file that comes along the network's next version; without one, have what was active answer again."""
        who = requester(request)
        with weight_change(), _room_for(request):
            load(network, _file_of(_json_of(request, load_bytes_max()).get("parameters")), who)
        return Response({})


class Unload(ProtocolView):
    """POST /v2/repository/models/M/unload."""

    right = WEIGHTS

    def post(self, request: Request, network: str) -> Response:
        """Have none of its versions active: what names the network alone is answered 404, until one is again."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        gateway().switch.deactivate(network, requester(request))
        return Response({})


@contextmanager
def _room_for(request: Request) -> Iterator[None]:
    """A file that comes in JSON is in memory several times over, so of large ones there are few at a time."""
    told = request.headers.get("content-length", "")
    large = int(told) > LARGE_LOAD_BYTES if told.isdigit() else True
    if large and not _large_loads.acquire(blocking=False):
        raise BusyError(f"{LARGE_LOADS_MAX} large files are being loaded; PUT /set_weights takes more at a time")
    try:
        yield
    finally:
        if large:
            _large_loads.release()


def index(ready: bool) -> list[dict[str, str]]:
    """Every version that is not deleted, or those that answer."""
    found = Version.objects.select_related("network").exclude(state=Version.State.DELETED)
    if ready:
        found = found.filter(state=Version.State.LOADED)
    return [_entry(version) for version in found.order_by("network_id", "number")[:VERSIONS_MAX]]


def only_file(parameters: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The place and the content of the file among a load's parameters, if there is one.

    Raises:
        BadInputError: there are several.
    """
    files = {name: content for name, content in parameters.items() if name.startswith(FILE)}
    if len(files) > 1:
        raise BadInputError(f"a load brings one file of weights, not {len(files)}")
    return next(iter(files.items()), None)


def load(network: str, file: tuple[str, bytes] | None, who: str) -> None:
    """Make a file, with its place, the network's next version; without one, have what was active answer again.

    Raises:
        TooLargeError: the file is larger than this gateway takes.
        NotFoundError, ConflictError: there is nothing to load; or a worker could not load it, and nothing changes.
    """
    switch = gateway().switch
    if file is None:
        _refuse_failed(switch.activate(network, history.version_to_load(network).number, who))
        return
    place, content = file
    if len(content) > (most := settings.PIPELINE_MAX_UPLOAD_BYTES):
        raise TooLargeError(f"the file has {len(content)} bytes, this gateway takes {most}")
    name = "".join(filter(str.isprintable, place.removeprefix(FILE).rpartition("/")[2]))[:FILE_NAME_CHARACTERS_MAX]
    nn_id, called_so = (network, None) if is_nn_id(network) else (None, network)
    with decoded(BytesIO(content)) as weights:
        _refuse_failed(switch.set_weights(nn_id, name or "weights", weights, who, name=called_so))


def _refuse_failed(result: SwitchResult) -> None:
    if not result.loaded:
        failed = next(report for report in result.reports if not report.loaded)
        raise ConflictError(f"{failed.worker}: {failed.trace.strip().rpartition(chr(10))[2]}")


def _entry(version: Version) -> dict[str, str]:
    ready = version.state == Version.State.LOADED
    reason = "" if ready else f"{version.state}: GET /networks/{version.network_id}/versions/{version.number} tells why"
    return {
        "name": called(version),
        "version": str(version.number),
        "state": "READY" if ready else "UNAVAILABLE",
        "reason": reason,
    }


def _json_of(request: Request, limit: int) -> dict[str, Any]:
    """A body that may be empty, whatever its content type says."""
    refuse_larger(request, limit)
    content = request._request.read()
    body = read_json(content) if content.strip() else {}
    if not isinstance(body, dict):
        raise BadInputError("the body must be a JSON object, or empty")
    return body


def _file_of(parameters: Any) -> tuple[str, bytes] | None:
    if parameters is None:
        return None
    if not isinstance(parameters, dict):
        raise BadInputError("parameters must be an object")
    file = only_file(parameters)
    if file is None:
        return None
    place, encoded = file
    try:
        return place, base64.b64decode(encoded, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise BadInputError(f"{place} must be the file in base64") from error
