"""The page of requests: how each prediction went."""

from __future__ import annotations

from django.contrib import admin

from inference.admin.read_only import ReadOnlyPage
from inference.models import PredictionTiming


@admin.register(PredictionTiming)
class PredictionTimingAdmin(ReadOnlyPage):
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
