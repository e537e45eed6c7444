"""The page of activations: the audit trail of every attempt to make a version active."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse

from inference.admin.pages import show
from inference.admin.read_only import ReadOnlyPage
from inference.models import Activation


@admin.register(Activation)
class ActivationAdmin(ReadOnlyPage):
    """Every attempt to make a version active: who asked, what it replaced, how it ended."""

    list_display = (
        "started", "kind", "nn_id", "number", "replaced", "ending", "workers", "seconds_shown", "requested_by",
    )  # fmt: skip
    list_filter = ("outcome", "kind", "started_at")
    search_fields = ("version__network__nn_id", "requested_by", "detail")
    list_select_related = ("version", "previous")
    ordering = ("-id",)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An activation with each worker's report; while it runs, the page looks again by itself."""
        self.require_reading(request)
        found = Activation.objects.select_related("version", "previous").prefetch_related("reports")
        activation = found.filter(pk=object_id).first() if object_id.isdecimal() and len(object_id) < 19 else None
        if activation is None:
            raise Http404
        return show(request, "activation.html", "Activation", activation=activation)

    @admin.display(description="started (UTC)", ordering="started_at")
    def started(self, activation: Activation) -> str:
        """When."""
        return f"{activation.started_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="network", ordering="version__network")
    def nn_id(self, activation: Activation) -> str:
        """The network's id."""
        return activation.version.network_id

    @admin.display(description="version")
    def number(self, activation: Activation) -> int:
        """The number of the version that was to become active."""
        return activation.version.number

    @admin.display(description="instead of", empty_value="-")
    def replaced(self, activation: Activation) -> int | None:
        """The number of the version that was active when it ended."""
        return activation.previous.number if activation.previous else None

    @admin.display(description="outcome", ordering="outcome")
    def ending(self, activation: Activation) -> str:
        """How it ended."""
        return activation.ending

    @admin.display(description="workers")
    def workers(self, activation: Activation) -> str:
        """How many of how many answered."""
        return f"{activation.workers_answered} of {activation.workers_asked}"

    @admin.display(description="seconds", ordering="seconds", empty_value="-")
    def seconds_shown(self, activation: Activation) -> str | None:
        """How long it took."""
        return None if activation.seconds is None else f"{activation.seconds:.2f}"
