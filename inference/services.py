"""What is written to the database about a weight change: reports, and which version is active."""

from __future__ import annotations

from django.db import transaction

from inference.models import DefaultNetwork, Network, Version, WorkerReport
from workers.protocol import Report


def record_reports(version: Version, reports: list[Report]) -> None:
    """Keep what each worker reported on a version."""
    WorkerReport.objects.bulk_create(
        WorkerReport(
            version=version, worker=report.worker, loaded=report.loaded, trace=report.trace, seconds=report.seconds
        )
        for report in reports
    )


def mark_failed(version: Version) -> None:
    """Note that at least one worker could not load a version; it never becomes active by itself."""
    Version.objects.filter(pk=version.pk).update(state=Version.State.FAILED)


@transaction.atomic
def activate(version: Version) -> None:
    """Make a version active, and its network the default one. This transaction is the switch."""
    network = Network.objects.select_for_update().get(pk=version.network_id)
    network.active = version
    network.save(update_fields=["active"])
    Version.objects.filter(pk=version.pk).update(state=Version.State.LOADED)
    DefaultNetwork.objects.update_or_create(id=DefaultNetwork.ONLY_ID, defaults={"network": network})
