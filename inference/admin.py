"""The Django admin, first form: look at everything; what the service writes, a person only reads."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inference.models import Activation, DefaultNetwork, Network, PredictionTiming, Version, WorkerReport

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


@admin.register(Version)
class VersionAdmin(ReadOnly, admin.ModelAdmin):
    """Every upload and how it fared."""

    list_display = ("network", "number", "state", "file_name", "size", "uploaded_at", "failed_on")
    list_filter = ("state", "uploaded_at")
    search_fields = ("network__nn_id", "file_name", "weights__digest")
    list_select_related = ("weights", "network")
    fields = (
        "network", "number", "state", "file_name", "size", "weights_id", "architecture_id", "uploaded_at",
        "activations_link",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        """With what the list shows, in three queries."""
        failures = Prefetch("activations", Activation.objects.filter(reports__loaded=False).distinct())
        reports = Prefetch("activations__reports", WorkerReport.objects.filter(loaded=False))
        return super().get_queryset(request).prefetch_related(failures, reports)

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
        """The workers that could not load it, whenever they were asked to."""
        failures = (report.worker for one in version.activations.all() for report in one.reports.all())
        return ", ".join(sorted(set(failures))) or "-"

    @admin.display(description="activations")
    def activations_link(self, version: Version) -> SafeString:
        """Where every attempt to make it active is listed, with the workers' reports."""
        address = reverse("admin:inference_activation_changelist")
        count = Activation.objects.filter(version=version).count()
        return format_html('<a href="{}?version__id__exact={}">{}, with reports</a>', address, version.pk, count)


class ReportsOnActivation(ReadOnly, admin.TabularInline):
    """What each worker reported, on the activation's page."""

    model = WorkerReport
    fields = ("worker", "loaded", "seconds", "reported_at", "readable_trace")
    readonly_fields = fields

    @admin.display(description="trace")
    def readable_trace(self, report: WorkerReport) -> SafeString | str:
        """The stack trace as text."""
        return format_html("<pre>{}</pre>", report.trace) if report.trace else "-"


@admin.register(Activation)
class ActivationAdmin(ReadOnly, admin.ModelAdmin):
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
