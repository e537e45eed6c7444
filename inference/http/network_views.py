"""The REST addresses under /networks: what there is, and making any version active again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase, HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inference.access.rights import STATUS, WEIGHTS
from inference.gateway import gateway
from inference.http.bodies.body_limit import refuse_larger
from inference.http.network_answers import (
    activation_answers,
    network_answer,
    switch_answer,
    terms_answer,
    version_answer,
)
from inference.http.requester import requester
from inference.http.serializers import ActivateSerializer, PageSerializer
from inference.http.weight_changes import weight_change
from inference.http.weights_download import WeightsDownload
from inference.versions import history
from inference.versions.version_terms import terms_of

#: The activations that GET /networks/<nn_id>/versions/<n> tells of: the latest.
ACTIVATIONS_MAX = 100


class Networks(APIView):
    """GET /networks: every network, page by page."""

    right = STATUS

    def get(self, request: Request) -> Response:
        """List them."""
        page, found = _page(request), history.networks()
        networks = [network_answer(network) for network in found[page]]
        return Response({"status": True, "message": "OK", "count": found.count(), "networks": networks})


class Network(APIView):
    """GET /networks/<nn_id>: a network and its versions, newest first, page by page."""

    right = STATUS

    def get(self, request: Request, nn_id: str) -> Response:
        """Tell of it."""
        page, about = _page(request), network_answer(history.network(nn_id))
        found = history.versions(nn_id)
        versions = [version_answer(version, about["active_version"]) for version in found[page]]
        return Response({"status": True, "message": "OK", **about, "count": found.count(), "versions": versions})


class Version(APIView):
    """GET and DELETE /networks/<nn_id>/versions/<n>."""

    right = STATUS
    rights = {"DELETE": WEIGHTS}

    def get(self, request: Request, nn_id: str, number: int) -> Response:
        """Tell of it and of its latest activations."""
        version, active = history.version(nn_id, number), history.network(nn_id).active
        about = version_answer(version, active.number if active else None)
        about["terms"] = terms_answer(terms_of(version))
        activations = activation_answers(history.activations(version, ACTIVATIONS_MAX), request)
        return Response({"status": True, "message": "OK", "nn_id": nn_id, **about, "activations": activations})

    def delete(self, request: Request, nn_id: str, number: int) -> Response:
        """Delete its weights; the record stays."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        gateway().switch.delete(nn_id, number, requester(request))
        return Response({"status": True, "message": "OK", "nn_id": nn_id, "version": number})


class Weights(APIView):
    """GET /networks/<nn_id>/versions/<n>/weights: the bytes that were uploaded, decoded."""

    right = WEIGHTS

    def get(self, request: Request, nn_id: str, number: int) -> HttpResponseBase:
        """Stream them."""
        return self._answer(request, nn_id, number)

    def head(self, request: Request, nn_id: str, number: int) -> HttpResponseBase:
        """Tell their size, name and digest."""
        return self._answer(request, nn_id, number)

    @staticmethod
    def _answer(request: Request, nn_id: str, number: int) -> HttpResponseBase:
        download = WeightsDownload.of(history.version(nn_id, number))
        etag = download.etag
        if {etag, "*"} & {known.removeprefix("W/") for known in parse_etags(request.headers.get("If-None-Match", ""))}:
            return HttpResponseNotModified(headers={"ETag": etag})
        return download.response(head=request.method == "HEAD")


class Activate(APIView):
    """POST /networks/<nn_id>/activate: any version becomes active once every worker has loaded it."""

    right = WEIGHTS

    def post(self, request: Request, nn_id: str) -> Response:
        """Load it everywhere, switch."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        with weight_change():
            serializer = ActivateSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            result = gateway().switch.activate(nn_id, serializer.validated_data["version"], requester(request))
        return Response(switch_answer(result, request))


class Rollback(APIView):
    """POST /networks/<nn_id>/rollback: the version that was active before becomes active again."""

    right = WEIGHTS

    def post(self, request: Request, nn_id: str) -> Response:
        """Load it everywhere, switch."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        with weight_change():
            result = gateway().switch.rollback(nn_id, requester(request))
        return Response(switch_answer(result, request))


def _page(request: Request) -> slice:
    """The part of a list that the query asks for."""
    serializer = PageSerializer(data=request.query_params)
    serializer.is_valid(raise_exception=True)
    asked: dict[str, Any] = serializer.validated_data
    return slice(asked["offset"], asked["offset"] + asked["limit"])
