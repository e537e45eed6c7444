"""The page of versions: every upload and how it fared."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inference.admin.read_only import ReadOnlyPage
from inference.models import Activation, Version, WorkerReport
from inference.versions.version_terms import terms_of


@admin.register(Version)
class VersionAdmin(ReadOnlyPage):
    """Every upload and how it fared."""

    list_display = ("network", "number", "state_word", "file_name", "size", "uploaded", "failed_on")
    list_filter = ("state", "uploaded_at")
    search_fields = ("network__nn_id", "file_name", "weights__digest")
    list_select_related = ("weights", "network")
    fields = (
        "network", "number", "state", "file_name", "size", "weights_digest", "architecture_digest", "uploaded",
        "what_is_known", "what_must_hold", "activations_link",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        """With what the list shows, in three queries, and without the traces of reports."""
        failed = Activation.objects.filter(reports__loaded=False).only("version_id").distinct()
        failures = Prefetch("activations", failed)
        reports = Prefetch(
            "activations__reports", WorkerReport.objects.filter(loaded=False).only("activation_id", "worker")
        )
        return super().get_queryset(request).prefetch_related(failures, reports)

    @admin.display(description="state", ordering="state")
    def state_word(self, version: Version) -> str:
        """Its one word: what it means is on the version's own page."""
        return version.state

    @admin.display(description="uploaded (UTC)", ordering="uploaded_at")
    def uploaded(self, version: Version) -> str:
        """When."""
        return f"{version.uploaded_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="bytes")
    def size(self, version: Version) -> int:
        """Bytes of the weights."""
        return version.weights.size

    @admin.display(description="SHA-256 of the weights")
    def weights_digest(self, version: Version) -> str:
        """The digest."""
        return version.weights_id

    @admin.display(description="SHA-256 of the architecture")
    def architecture_digest(self, version: Version) -> str:
        """The digest."""
        return version.architecture_id

    @admin.display(description="failed on")
    def failed_on(self, version: Version) -> str:
        """The workers that could not load it, whenever they were asked to."""
        failures = (report.worker for one in version.activations.all() for report in one.reports.all())
        return ", ".join(sorted(set(failures))) or "-"

    @admin.display(description="remarks")
    def what_is_known(self, version: Version) -> str:
        """What workers have reported about how it answers."""
        return " ".join(version.remarks) or "-"

    @admin.display(description="must hold")
    def what_must_hold(self, version: Version) -> str:
        """What came with the upload."""
        terms = terms_of(version)
        if terms is None:
            return "-"
        examples = f"{terms.expected.rows_count} examples, to {terms.expected.tolerance:g}" if terms.expected else ""
        order = f"layers in the order {', '.join(terms.order)}" if terms.order else ""
        return "; ".join(each for each in (examples, order) if each)

    @admin.display(description="activations")
    def activations_link(self, version: Version) -> SafeString:
        """Where every attempt to make it active is listed, with the workers' reports."""
        address = reverse("admin:inference_activation_changelist")
        count = Activation.objects.filter(version=version).count()
        return format_html('<a href="{}?version__id__exact={}">{}, with reports</a>', address, version.pk, count)
