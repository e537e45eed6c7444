"""What the protocol tells of the server and of networks: health, metadata, readiness, configuration, statistics."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from inference.access.rights import EVERYBODY, PREDICT, STATUS
from inference.gateway import gateway
from inference.health.readiness import check_readiness
from inference.http.error_texts import ProtocolView
from inference.http.open_inference import model_answers


class Server(ProtocolView):
    """GET /v2."""

    right = EVERYBODY

    def get(self, request: Request) -> Response:
        """Tell what this is."""
        return Response(model_answers.server_metadata())


class Live(ProtocolView):
    """GET /v2/health/live."""

    right = EVERYBODY

    def get(self, request: Request) -> Response:
        """This process answers."""
        return Response({"live": True})


class Ready(ProtocolView):
    """GET /v2/health/ready."""

    right = EVERYBODY

    def get(self, request: Request) -> Response:
        """Whether predictions can be answered now."""
        ready = all(check.passed for check in check_readiness(gateway().health))
        return Response({"live": True, "ready": ready}, status=200 if ready else 503)


class Model(ProtocolView):
    """GET /v2/models/M, and of one version."""

    right = PREDICT

    def get(self, request: Request, network: str, number: int | None = None) -> Response:
        """What it takes and makes."""
        return Response(model_answers.model_metadata(network, number))


class Infer(ProtocolView):
    """The address of POST /v2/models/M/infer, which the event loop answers: Django has it for other methods."""

    right = PREDICT

    def post(self, request: Request, network: str, number: int | None = None) -> Response:
        """Never asked: one that comes here has passed by the server's doors."""
        raise NotImplementedError("predictions are answered by inference.http.open_inference.infer_door")


class ModelReady(ProtocolView):
    """GET /v2/models/M/ready, and of one version."""

    right = PREDICT

    def get(self, request: Request, network: str, number: int | None = None) -> Response:
        """Whether it answers."""
        ready = model_answers.model_ready(network, number)
        return Response({"name": network, "ready": ready}, status=200 if ready else 503)


class ModelConfig(ProtocolView):
    """GET /v2/models/M/config, and of one version."""

    right = PREDICT

    def get(self, request: Request, network: str, number: int | None = None) -> Response:
        """How it is served, in Triton's words."""
        return Response(model_answers.model_config(network, number))


class Statistics(ProtocolView):
    """GET /v2/models/stats, /v2/models/M/stats, and of one version."""

    right = STATUS

    def get(self, request: Request, network: str | None = None, number: int | None = None) -> Response:
        """What their requests came to, as long as statistics are kept."""
        return Response(model_answers.model_statistics(network, number))
