"""The Django admin, first form: look at everything; what the service writes, a person only reads."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inference.models import DefaultNetwork, Network, PredictionTiming, Version, WorkerReport

admin.site.site_header = "Pipeline"
admin.site.site_title = "Pipeline"
admin.site.index_title = "Networks and predictions"


class ReadOnly:
    """Nothing of this is added, changed or deleted by hand: it is the record of what happened."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class VersionsOfNetwork(ReadOnly, admin.TabularInline):
    """A network's versions on its page."""

    model = Version
    fk_name = "network"
    fields = ("number", "state", "file_name", "size", "weights_id", "uploaded_at")
    readonly_fields = fields
    ordering = ("-number",)
    show_change_link = True

    @admin.display(description="bytes")
    def size(self, version: Version) -> int:
        """Bytes of the weights."""
        return version.weights.size

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        """With the files, in one query."""
        return super().get_queryset(request).select_related("weights")


@admin.register(Network)
class NetworkAdmin(ReadOnly, admin.ModelAdmin):
    """Networks and which version each answers with."""

    list_display = ("nn_id", "active_number", "versions_count", "is_default", "created_at")
    search_fields = ("nn_id",)
    fields = ("nn_id", "active", "created_at")
    inlines = (VersionsOfNetwork,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Network]:
        """With what the list shows, in one query."""
        networks: QuerySet[Network] = super().get_queryset(request).select_related("active")
        return networks.annotate(
            versions_count=Count("versions", distinct=True), defaults_count=Count("defaultnetwork")
        )

    @admin.display(description="active version", empty_value="none")
    def active_number(self, network: Network) -> int | None:
        """The number of the active version."""
        return network.active.number if network.active else None

    @admin.display(description="versions")
    def versions_count(self, network: Any) -> int:
        """How many uploads there were."""
        return int(network.versions_count)

    @admin.display(description="default", boolean=True)
    def is_default(self, network: Any) -> bool:
        """Whether /predict uses it."""
        return bool(network.defaults_count)


class ReportsOnVersion(ReadOnly, admin.TabularInline):
    """What each worker reported, on the version's page."""

    model = WorkerReport
    fields = ("worker", "loaded", "seconds", "reported_at", "readable_trace")
    readonly_fields = fields

    @admin.display(description="trace")
    def readable_trace(self, report: WorkerReport) -> SafeString | str:
        """The stack trace as text."""
        return format_html("<pre>{}</pre>", report.trace) if report.trace else "-"


@admin.register(Version)
class VersionAdmin(ReadOnly, admin.ModelAdmin):
    """Every upload and how it fared."""

    list_display = ("network", "number", "state", "file_name", "size", "uploaded_at", "failed_on")
    list_filter = ("state", "uploaded_at")
    search_fields = ("network__nn_id", "file_name", "weights__digest")
    list_select_related = ("weights", "network")
    fields = ("network", "number", "state", "file_name", "size", "weights_id", "architecture_id", "uploaded_at")
    readonly_fields = fields
    inlines = (ReportsOnVersion,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        """With what the list shows, in one query."""
        return super().get_queryset(request).prefetch_related("reports")

    @admin.display(description="bytes")
    def size(self, version: Version) -> int:
        """Bytes of the weights."""
        return version.weights.size

    @admin.display(description="SHA-256 of the weights")
    def weights_id(self, version: Version) -> str:
        """The digest."""
        return version.weights_id

    @admin.display(description="SHA-256 of the architecture")
    def architecture_id(self, version: Version) -> str:
        """The digest."""
        return version.architecture_id

    @admin.display(description="failed on")
    def failed_on(self, version: Version) -> str:
        """The workers that could not load it."""
        return ", ".join(report.worker for report in version.reports.all() if not report.loaded) or "-"


@admin.register(PredictionTiming)
class PredictionTimingAdmin(ReadOnly, admin.ModelAdmin):
    """How requests went."""

    list_display = (
        "at", "outcome", "nn_id", "version", "worker", "rows", "batch_rows", "total", "queue", "inference",
    )  # fmt: skip
    list_filter = ("outcome",)
    search_fields = ("nn_id", "worker")
    ordering = ("-id",)
    # Counting all rows for the pager's sake would read the whole table.
    show_full_result_count = False

    @admin.display(description="total ms", ordering="total_ms")
    def total(self, timing: PredictionTiming) -> str:
        """Milliseconds from arrival to answer."""
        return f"{timing.total_ms:.2f}"

    @admin.display(description="queue ms", ordering="queue_ms")
    def queue(self, timing: PredictionTiming) -> str:
        """Milliseconds until the batch was sent."""
        return f"{timing.queue_ms:.2f}"

    @admin.display(description="inference ms", ordering="inference_ms")
    def inference(self, timing: PredictionTiming) -> str:
        """Milliseconds of the network's call."""
        return f"{timing.inference_ms:.2f}"


@admin.register(DefaultNetwork)
class DefaultNetworkAdmin(ReadOnly, admin.ModelAdmin):
    """Which network /predict uses."""

    list_display = ("network",)
