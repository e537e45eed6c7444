"""The page that asks a network for a prediction: rows in, answer and time out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import orjson
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views import View
from unfold.widgets import UnfoldAdminTextareaWidget

from inference.admin import permissions
from inference.admin.pages import show
from inference.admin.permissions import require
from inference.admin.trouble import EXPECTED, Trouble, trouble_of
from inference.errors import BadInputError, PredictionFailedError, TooLargeError
from inference.gateway import gateway
from inference.http.bodies.json_format import read_json
from inference.http.bodies.predict_body import read_predict_input
from inference.http.traces import reason_of
from inference.models import Network
from inference.versions import history
from inference.versions.example_rows import example_rows

SHOWN_CHARACTERS_MAX = 20_000


class RowsForm(forms.Form):
    """Rows."""

    rows = forms.CharField(
        label="Rows, as JSON",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )


@dataclass(frozen=True)
class Tried:
    """What came of it: the result as JSON, who made it, and how long it took in all and in the worker."""

    result: str
    version: int
    worker: str
    milliseconds: float
    inference_ms: float


class TryIt(View):
    """Shows the form, and below it what came of it."""

    http_method_names = ["get", "post", "head"]

    def get(self, request: HttpRequest, nn_id: str) -> HttpResponse:
        """The form, with rows to begin with."""
        require(request, permissions.ACTIVATE)
        try:
            network = history.network(nn_id)
        except EXPECTED as error:
            return _page(request, nn_id, "", trouble=trouble_of(error))
        return _page(request, nn_id, _first_rows(network))

    def post(self, request: HttpRequest, nn_id: str) -> HttpResponse:
        """Ask."""
        require(request, permissions.ACTIVATE)
        text = request.POST.get("rows", "")
        try:
            return _page(request, nn_id, text, tried=_ask(nn_id, text))
        except PredictionFailedError as error:
            reason = Trouble(f"{reason_of(str(error))}.", "Correct the rows, and ask again.", 200)
            return _page(request, nn_id, text, trouble=reason)
        except EXPECTED as error:
            return _page(request, nn_id, text, trouble=trouble_of(error))


def _ask(nn_id: str, text: str) -> Tried:
    if len(text) > settings.PIPELINE_MAX_BODY_BYTES:
        raise TooLargeError("the rows are longer than a request may be")
    body = read_json(text.encode())
    if isinstance(body, list):
        body = {"data": body}
    if not isinstance(body, dict):
        raise BadInputError('the rows must be a list of rows, or an object like {"data": [[0.1, 0.2]]}')
    asked = read_predict_input({**body, "nn_id": nn_id})
    started = perf_counter()
    answer = gateway().predict_and_wait(asked)
    seconds = perf_counter() - started
    result = orjson.dumps(answer.result(asked.single), option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2).decode()
    shown = result if len(result) <= SHOWN_CHARACTERS_MAX else f"{result[:SHOWN_CHARACTERS_MAX]} …"
    return Tried(shown, answer.version.number, answer.worker, seconds * 1000, answer.inference_ms)


def _first_rows(network: Network) -> str:
    """JSON of rows that the active version takes; the same text as a request's body would have."""
    return json.dumps({"data": example_rows(network.active) if network.active else [[0.0]]})


def _page(request: HttpRequest, nn_id: str, rows: str, **found: Any) -> HttpResponse:
    trouble: Trouble | None = found.get("trouble")
    form = RowsForm(initial={"rows": rows})
    status = trouble.status if trouble else 200
    return show(request, "try_it.html", "Try it", status=status, nn_id=nn_id, form=form, **found)
