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
    labels_answer,
    network_answer,
    switch_answer,
    terms_answer,
    version_answer,
)
from inference.http.requester import requester
from inference.http.serializers import ActivateSerializer, NameSerializer, PageSerializer
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
    """GET /networks/<nn_id>: a network and its versions, newest first, page by page; PATCH names it."""

    right = STATUS
    rights = {"PATCH": WEIGHTS}

    def get(self, request: Request, network: str) -> Response:
        """Tell of it."""
        page, found = _page(request), history.network(network)
        about, labels = network_answer(found), labels_answer(found)
        versions = history.versions(found.nn_id)
        told = [version_answer(version, about["active_version"]) for version in versions[page]]
        return Response(
            {"status": True, "message": "OK", **about, "labels": labels, "count": versions.count(), "versions": told}
        )

    def patch(self, request: Request, network: str) -> Response:
        """Give it a name, or take it."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        serializer = NameSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        found = gateway().switch.name_network(network, serializer.validated_data["name"], requester(request))
        return Response({"status": True, "message": "OK", **network_answer(found)})


class Version(APIView):
    """GET and DELETE /networks/<nn_id>/versions/<n>."""

    right = STATUS
    rights = {"DELETE": WEIGHTS}

    def get(self, request: Request, network: str, number: int) -> Response:
        """Tell of it and of its latest activations."""
        version = history.version(network, number)
        about = version_answer(version, version.network.active.number if version.network.active else None)
        about["terms"] = terms_answer(terms_of(version))
        activations = activation_answers(history.activations(version, ACTIVATIONS_MAX), request)
        return Response(
            {"status": True, "message": "OK", "nn_id": version.network_id, **about, "activations": activations}
        )

    def delete(self, request: Request, network: str, number: int) -> Response:
        """Delete its weights; the record stays."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        deleted = gateway().switch.delete(network, number, requester(request))
        return Response({"status": True, "message": "OK", "nn_id": deleted.nn_id, "version": number})


class Weights(APIView):
    """GET /networks/<nn_id>/versions/<n>/weights: the bytes that were uploaded, decoded."""

    right = WEIGHTS

    def get(self, request: Request, network: str, number: int) -> HttpResponseBase:
        """Stream them."""
        return self._answer(request, network, number)

    def head(self, request: Request, network: str, number: int) -> HttpResponseBase:
        """Tell their size, name and digest."""
        return self._answer(request, network, number)

    @staticmethod
    def _answer(request: Request, network: str, number: int) -> HttpResponseBase:
        download = WeightsDownload.of(history.version(network, number))
        etag = download.etag
        if {etag, "*"} & {known.removeprefix("W/") for known in parse_etags(request.headers.get("If-None-Match", ""))}:
            return HttpResponseNotModified(headers={"ETag": etag})
        return download.response(head=request.method == "HEAD")


class Activate(APIView):
    """POST /networks/<nn_id>/activate: any version becomes active once every worker has loaded it."""

    right = WEIGHTS

    def post(self, request: Request, network: str) -> Response:
        """Load it everywhere, switch."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        with weight_change():
            serializer = ActivateSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            result = gateway().switch.activate(network, serializer.validated_data["version"], requester(request))
        return Response(switch_answer(result, request))


class Rollback(APIView):
    """POST /networks/<nn_id>/rollback: the version that was active before becomes active again."""

    right = WEIGHTS

    def post(self, request: Request, network: str) -> Response:
        """Load it everywhere, switch."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        with weight_change():
            result = gateway().switch.rollback(network, requester(request))
        return Response(switch_answer(result, request))


class Label(APIView):
    """PUT and DELETE /networks/<nn_id>/labels/<label>: a name for one of its versions, which may move."""

    right = WEIGHTS

    def put(self, request: Request, network: str, label: str) -> Response:
        """Have it stand for a version."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        serializer = ActivateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        version = gateway().switch.label(network, label, serializer.validated_data["version"], requester(request))
        return _labelled(version.network_id, label, version.number)

    def delete(self, request: Request, network: str, label: str) -> Response:
        """Forget it."""
        refuse_larger(request, settings.PIPELINE_MAX_BODY_BYTES)
        return _labelled(gateway().switch.remove_label(network, label, requester(request)), label, None)


def _labelled(nn_id: str, label: str, number: int | None) -> Response:
    return Response({"status": True, "message": "OK", "nn_id": nn_id, "label": label, "version": number})


def _page(request: Request) -> slice:
    """The part of a list that the query asks for."""
    serializer = PageSerializer(data=request.query_params)
    serializer.is_valid(raise_exception=True)
    asked: dict[str, Any] = serializer.validated_data
    return slice(asked["offset"], asked["offset"] + asked["limit"])
