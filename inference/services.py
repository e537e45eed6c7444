"""What is written to the database: uploads, reports, and which version is active."""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.db.models import Max

from inference.models import DefaultNetwork, FileChunk, Network, StoredFile, Version, WorkerReport
from workers.protocol import CHUNK_BYTES, Report


def store_file(content: bytes) -> StoredFile:
    """The bytes as a stored file; what is stored already is not stored again."""
    file, created = StoredFile.objects.get_or_create(
        digest=hashlib.sha256(content).hexdigest(), defaults={"size": len(content)}
    )
    if created:
        FileChunk.objects.bulk_create(
            [
                FileChunk(file=file, offset=offset, content=content[offset : offset + CHUNK_BYTES])
                for offset in range(0, len(content), CHUNK_BYTES)
            ],
            batch_size=1,
        )
    return file


@transaction.atomic
def store_version(
    nn_id: str, file_name: str, weights: bytes, default_architecture: bytes, own_architecture: bytes | None = None
) -> Version:
    """An upload as the network's next version, state pending.

    Its architecture is the one that came with it, else that of the network's version before, else the default one.
    """
    Network.objects.get_or_create(nn_id=nn_id)
    # The lock makes uploads for one network take their numbers one after the other.
    network = Network.objects.select_for_update().get(nn_id=nn_id)
    latest = network.versions.order_by("-number").first()
    if own_architecture is None and latest is not None:
        architecture = latest.architecture
    else:
        architecture = store_file(own_architecture or default_architecture)
    return Version.objects.create(
        network=network,
        number=(network.versions.aggregate(latest=Max("number"))["latest"] or 0) + 1,
        weights=store_file(weights),
        architecture=architecture,
        file_name=file_name,
    )


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
