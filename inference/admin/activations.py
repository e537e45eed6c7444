"""The page of activations: the audit trail of every attempt to make a version active."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inference.admin.read_only import ReadOnlyPage, ReadOnlyTable
from inference.models import Activation, WorkerReport


class ReportsOnActivation(ReadOnlyTable):
    """What each worker reported, on the activation's page."""

    model = WorkerReport
    fields = ("worker", "loaded", "seconds", "reported_at", "readable_trace")
    readonly_fields = fields

    @admin.display(description="trace")
    def readable_trace(self, report: WorkerReport) -> SafeString | str:
        """The stack trace as text."""
        return format_html("<pre>{}</pre>", report.trace) if report.trace else "-"


@admin.register(Activation)
class ActivationAdmin(ReadOnlyPage):
    """Every attempt to make a version active: who asked, what it replaced, how it ended."""

    list_display = (
        "started_at", "kind", "nn_id", "number", "replaced", "ending", "workers", "seconds_shown", "requested_by",
    )  # fmt: skip
    list_filter = ("outcome", "kind", "started_at")
    search_fields = ("version__network__nn_id", "requested_by", "detail")
    list_select_related = ("version", "previous")
    ordering = ("-id",)
    fields = (
        "version", "previous", "kind", "requested_by", "started_at", "seconds", "ending", "workers_asked",
        "workers_answered", "detail",
    )  # fmt: skip
    readonly_fields = fields
    inlines = (ReportsOnActivation,)

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
