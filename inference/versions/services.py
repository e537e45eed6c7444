"""What is written to the database about activations: that one runs, how it ended, what is active, what is deleted."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from inference.errors import AlreadyActiveError, ConflictError, NotFoundError
from inference.models import Activation, DefaultNetwork, Network, Version, WorkerReport
from inference.versions import history
from inference.versions.stored_files import drop_bytes, lock_files
from workers.logs import about
from workers.messages.protocol import REMARKS_MAX, Report, VersionRef

logger = logging.getLogger(__name__)
REQUESTED_BY_MAX = 255
#: Stands for a worker that is connected and did not report in time.
SILENT = "(silent)"
#: What becomes of a version that was never loaded before, by how its activation ended; after others it stays pending.
STATE_AFTER = {
    Activation.Outcome.FAILED: Version.State.FAILED,
    Activation.Outcome.NOT_FIRST: Version.State.LOADED,
}


def begin(version: Version, kind: Activation.Kind, requested_by: str) -> Activation:
    """Note that a version is about to be activated."""
    return Activation.objects.create(version=version, kind=kind, requested_by=requested_by[:REQUESTED_BY_MAX])


@transaction.atomic
def note_reports(activation: Activation, reports: Sequence[Report], workers_asked: int) -> None:
    """Keep the reports that are in while others are waited for."""
    noted = _keep_reports(activation, reports)
    Activation.objects.filter(pk=activation.pk).update(
        workers_asked=workers_asked, workers_answered=F("workers_answered") + noted
    )


@transaction.atomic
def record_reports(activation: Activation, reports: Sequence[Report]) -> None:
    """Keep what each worker reported, those that were noted before among them, and how many were asked and answered."""
    activation.workers_asked = len(reports)
    activation.workers_answered = sum(report.worker != SILENT for report in reports)
    activation.save(update_fields=["workers_asked", "workers_answered"])
    _keep_reports(activation, reports)


def _keep_reports(activation: Activation, reports: Sequence[Report]) -> int:
    """Store the reports of workers that have none yet on this activation; returns how many."""
    noted = set(activation.reports.values_list("worker", flat=True))
    new = [report for report in reports if report.worker not in noted]
    WorkerReport.objects.bulk_create(
        WorkerReport(
            activation=activation,
            worker=report.worker,
            loaded=report.loaded,
            trace=report.trace,
            seconds=report.seconds,
            remarks=report.remarks,
        )
        for report in new
    )
    _keep_what_is_told(activation.version_id, new)
    return len(new)


def _keep_what_is_told(version_id: int, reports: Sequence[Report]) -> None:
    """Note of a version what is not noted yet: remarks, and what it takes and makes."""
    signature = next((report.signature for report in reports if report.signature is not None), None)
    remarks = dict.fromkeys(remark for report in reports for remark in report.remarks)
    if not remarks and signature is None:
        return
    version = Version.objects.only("remarks", "signature").get(pk=version_id)
    told = version.remarks, version.signature
    version.remarks = [*version.remarks, *(each for each in remarks if each not in version.remarks)][:REMARKS_MAX]
    version.signature = version.signature or (signature.to_json() if signature else None)
    if told != (version.remarks, version.signature):
        version.save(update_fields=["remarks", "signature"])


def refuse_second_network() -> None:
    """Refuse an upload that was to be the first network only, while another one is active; `commit` decides for good.

    Raises:
        AlreadyActiveError: one is.
    """
    if default := DefaultNetwork.objects.first():
        raise _already_active(default)


def _already_active(default: DefaultNetwork) -> AlreadyActiveError:
    return AlreadyActiveError(f"network {default.network_id} is the default one, and nothing was to be replaced")


@transaction.atomic
def commit(activation: Activation, only_first: bool = False) -> None:
    """Make an activation's version active, and after an upload its network the default one: this is the switch.

    With `only_first`, only while no network is the default one.

    Raises:
        ConflictError: the version was deleted meanwhile.
        AlreadyActiveError: another one has become the default network.
    """
    network = _lock_network(activation)
    version = Version.objects.get(pk=activation.version_id)
    if version.state == Version.State.DELETED:
        raise ConflictError(f"{version} was deleted meanwhile")
    _end(activation, network, Activation.Outcome.ACTIVATED)
    network.active = version
    network.save(update_fields=["active"])
    version.state = Version.State.LOADED
    version.save(update_fields=["state"])
    if only_first:
        # Waits for whoever makes a network the default one in this moment: there is one row, by its primary key.
        default, is_first = DefaultNetwork.objects.get_or_create(
            id=DefaultNetwork.ONLY_ID, defaults={"network": network}
        )
        if not is_first:
            raise _already_active(default)
    # Without any default network, /predict would have nothing although one is active.
    elif activation.kind == Activation.Kind.UPLOAD or not DefaultNetwork.objects.exists():
        DefaultNetwork.objects.update_or_create(id=DefaultNetwork.ONLY_ID, defaults={"network": network})


@transaction.atomic
def deactivate(asked: str, requested_by: str) -> str:
    """Have none of a network's versions active; says which network it is.

    Raises:
        NotFoundError: there is no such network.
    """
    network = Network.objects.select_for_update().get(pk=history.network(asked).nn_id)
    was, network.active = network.active, None
    network.save(update_fields=["active"])
    logger.info("%s is active no more, as %s asked.", was or network, requested_by)
    return network.nn_id


@transaction.atomic
def close(activation: Activation, outcome: Activation.Outcome, detail: str) -> None:
    """Note how an activation ended that changed nothing; a version that was `loaded` before stays so."""
    network = _lock_network(activation)
    # A commit may have gone through although its connection was lost.
    if not Activation.objects.filter(pk=activation.pk, outcome=Activation.Outcome.RUNNING).exists():
        return
    _end(activation, network, outcome, detail)
    if outcome in STATE_AFTER:
        pending = Version.objects.filter(pk=activation.version_id, state=Version.State.PENDING)
        pending.update(state=STATE_AFTER[outcome])


def _lock_network(activation: Activation) -> Network:
    """The network, locked until the transaction ends: its activations end one after the other."""
    return Network.objects.select_for_update().get(pk=activation.version.network_id)


def _end(activation: Activation, network: Network, outcome: Activation.Outcome, detail: str = "") -> None:
    activation.previous = network.active
    activation.outcome = outcome
    activation.seconds = (timezone.now() - activation.started_at).total_seconds()
    activation.detail = detail
    activation.save(update_fields=["previous", "outcome", "seconds", "detail"])


@transaction.atomic
def delete_version(asked: str, number: int, requested_by: str) -> VersionRef:
    """Delete a version's bytes, unless another version has the same; the record of it stays. Says which it is.

    Raises:
        NotFoundError: there is no such version, or it is deleted already.
        ConflictError: it is the active one, or a label stands for it.
    """
    # The files first, then the network, as an upload locks them: the other way round they could wait for each other.
    version = history.version(asked, number)
    files = lock_files(version.own_files())
    network = Network.objects.select_for_update().get(pk=version.network_id)
    version = history.version(network.nn_id, number)
    if version.state == Version.State.DELETED:
        raise NotFoundError(f"{version} is deleted already")
    if network.active_id == version.pk:
        raise ConflictError(f"{version} is active: activate another one first")
    if label := version.labels.values_list("label", flat=True).first():
        raise ConflictError(f"the label {label} stands for {version}: move or remove it first")
    version.state = Version.State.DELETED
    version.save(update_fields=["state"])
    for file in files:
        if not _is_needed(file.digest):
            drop_bytes(file)
    logger.info("Deleted %s, as %s asked.", version, requested_by, extra=about(version.ref()))
    return version.ref()


def _is_needed(digest: str) -> bool:
    """Whether any version still needs a file; an architecture is needed by later uploads, too."""
    own = (Q(weights=digest) | Q(terms=digest)) & ~Q(state=Version.State.DELETED)
    return Version.objects.filter(own | Q(architecture=digest)).exists()
