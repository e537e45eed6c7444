"""The REST addresses: each reads its input, calls the service, and shapes the answer."""

from __future__ import annotations

from django.conf import settings
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inference.access.rights import PREDICT, STATUS, WEIGHTS
from inference.gateway import gateway
from inference.http import status
from inference.http.bodies.body_limit import refuse_larger
from inference.http.bodies.json_format import JsonParser
from inference.http.bodies.terms_form import read_terms
from inference.http.bodies.upload_files import UploadParser, decoded
from inference.http.network_answers import switch_answer
from inference.http.requester import requester
from inference.http.serializers import SetWeightsSerializer, asks_for_first_only
from inference.http.weight_changes import weight_change


class Predict(APIView):
    """The address of POST /predict, which the event loop answers (`predict_door`): Django has it for other methods."""

    right = PREDICT

    def post(self, request: Request) -> Response:
        """Never asked: one that comes here has passed by the server's doors."""
        raise NotImplementedError("POST /predict is answered by inference.http.predict_door")


class SetWeights(APIView):
    """PUT /set_weights: new weights for a network, which becomes the default one when every worker has loaded them."""

    right = WEIGHTS
    parser_classes = (UploadParser, FormParser, JsonParser)

    def put(self, request: Request) -> Response:
        """Store, load everywhere, switch."""
        form = (request.content_type or "").lower().startswith("multipart/")
        refuse_larger(request, settings.PIPELINE_MAX_UPLOAD_BYTES if form else settings.PIPELINE_MAX_BODY_BYTES)
        with weight_change():
            serializer = SetWeightsSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            only_first = asks_for_first_only(request)
            told = serializer.validated_data
            file, terms = told["data"], read_terms(told["order"], told["expect"])
            with decoded(file) as weights:
                who = requester(request)
                nn_id, name = told.get("nn_id"), told["name"]
                result = gateway().switch.set_weights(nn_id, file.name, weights, who, only_first, terms, name)
        return Response(switch_answer(result, request))


class Status(APIView):
    """GET /status: the gateway's queue and times, and every worker's own account."""

    right = STATUS

    def get(self, request: Request) -> Response:
        """Ask all workers."""
        return Response(status.read_status())
