"""The form above the list of requests."""

from __future__ import annotations

from typing import Any

from django import forms

from inference.models import PredictionTiming
from inference.statistics.request_search import LATEST, NOT_ANSWERED, SLOWEST, RequestSearch

OUTCOMES = [("", "any outcome"), (NOT_ANSWERED, "not answered"), *PredictionTiming.Outcome.choices]
SORTS = [(LATEST, "latest first"), (SLOWEST, "slowest first")]


def _time(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")
    formats = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]
    return forms.DateTimeField(label=label, required=False, widget=widget, input_formats=formats)


class RequestForm(forms.Form):
    """What is asked for, all of it optional."""

    nn_id = forms.CharField(label="Network", required=False, max_length=32)
    version = forms.IntegerField(label="Version", required=False, min_value=1, max_value=999_999_999)
    worker = forms.CharField(label="Worker", required=False, max_length=255)
    outcome = forms.ChoiceField(label="Outcome", required=False, choices=OUTCOMES)
    since = _time("From (UTC)")
    until = _time("Until (UTC)")
    slower_than = forms.FloatField(label="Slower than (ms)", required=False, min_value=0)
    sort = forms.ChoiceField(label="Order", required=False, choices=SORTS)

    def search(self) -> RequestSearch | None:
        """What was asked for; None when it cannot be read."""
        if not self.is_valid():
            return None
        asked: dict[str, Any] = dict(self.cleaned_data)
        slower_than_ms, sort = asked.pop("slower_than"), asked.pop("sort") or LATEST
        return RequestSearch(**asked, slower_than_ms=slower_than_ms, sort=sort)
