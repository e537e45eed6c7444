"""A weight change from the request to the switch: every worker loads the version, or nobody serves it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from django.db import Error as DatabaseError
from django.utils import timezone

from inference.databases.live_connection import on_live_connection
from inference.dispatch.news import DELETED_NEWS, SWITCHED_NEWS, Deleted, Switched
from inference.errors import AlreadyActiveError, BrokerUnavailableError, ConflictError, InferenceError, NoWorkersError
from inference.models import Activation, Version
from inference.monitoring import observations
from inference.versions import history, naming, services
from inference.versions.fleet import Fleet
from inference.versions.uploads import store_upload
from workers.logs import about
from workers.messages.protocol import Report, VersionRef
from workers.messages.refusals import HINT_SECONDS, refusals
from workers.messages.terms import NO_TERMS, Terms
from workers.settings import settings as shared_settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SwitchResult:
    """How an activation ended that workers were asked for: every asked worker's report, the silent ones' among them."""

    activation: Activation
    reports: list[Report]

    @property
    def loaded(self) -> bool:
        """Whether every worker has loaded the version, which made it active."""
        return all(report.loaded for report in self.reports)


class VersionSwitch:
    """Makes versions active, and deletes them: the fleet is asked, the database decides, all gateways are told."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def set_weights(
        self,
        nn_id: str | None,
        file_name: str,
        weights: bytes | IO[bytes],
        requested_by: str,
        only_first: bool = False,
        terms: Terms = NO_TERMS,
        name: str | None = None,
    ) -> SwitchResult:
        """Store an upload, have every worker load it by its terms, and make it active when all have.

        Its network is called `name` from then on, where one is given; without an `nn_id` it is the one of that name, or
        a new one. With `only_first`, only while no network is active: whether one is, is decided where it would become
        active.

        Raises:
            BadInputError: a `.keras` archive whose architecture cannot be read.
            BrokerUnavailableError, NoWorkersError: nobody could load it; the version stays pending.
            ConflictError: the version was deleted meanwhile, or another network has the name.
            AlreadyActiveError: it was to be the first network only, and one is active.
        """
        if only_first:
            services.refuse_second_network()
        version = store_upload(nn_id, file_name, weights, terms, name)
        return self.switch_to(version, Activation.Kind.UPLOAD, requested_by, only_first)

    def activate(self, network: str, number: int, requested_by: str) -> SwitchResult:
        """Make any version of a network active, once every worker has loaded it.

        Raises:
            NotFoundError: there is no such version.
            ConflictError: it is deleted.
            BrokerUnavailableError, NoWorkersError: nobody could load it; nothing has changed.
        """
        version = history.version(network, number)
        if version.state == Version.State.DELETED:
            raise ConflictError(f"{version} is deleted: upload its weights again")
        return self.switch_to(version, Activation.Kind.ACTIVATE, requested_by)

    def rollback(self, network: str, requested_by: str) -> SwitchResult:
        """Take back the latest step that is not taken back yet: the version that was active before it becomes active.

        Raises:
            NotFoundError: there is no such network.
            ConflictError: nothing was active before.
            BrokerUnavailableError, NoWorkersError: nobody could load it; nothing has changed.
        """
        return self.switch_to(history.version_before(network), Activation.Kind.ROLLBACK, requested_by)

    def delete(self, network: str, number: int, requested_by: str) -> VersionRef:
        """Delete a version's weights; the record stays. Says which it was.

        Raises:
            NotFoundError: there is no such version, or it is deleted already.
            ConflictError: it is the active one.
        """
        deleted = services.delete_version(network, number, requested_by)
        self._fleet.tell_gateways(DELETED_NEWS, Deleted(deleted.nn_id, deleted.number))
        return deleted

    def deactivate(self, network: str, requested_by: str) -> None:
        """Have none of a network's versions active.

        Raises:
            NotFoundError: there is no such network.
        """
        self._fleet.tell_gateways(SWITCHED_NEWS, Switched(services.deactivate(network, requested_by)))

    def name_network(self, network: str, name: str | None, requested_by: str) -> Any:
        """Call a network so from now on, or by its id alone.

        Raises:
            NotFoundError: there is no such network.
            BadInputError: it is no name.
            ConflictError: another network has it.
        """
        found = history.network(network)
        naming.name_network(found, name)
        self._fleet.tell_gateways(SWITCHED_NEWS, Switched(found.nn_id))
        logger.info("%s is called %s, as %s asked.", found, name or "by its id", requested_by)
        return found

    def label(self, network: str, label: str, number: int, requested_by: str) -> Version:
        """Have a label of a network stand for this version from now on.

        Raises:
            NotFoundError: there is no such version.
            BadInputError: it is no label.
            ConflictError: that version was never loaded by all workers, or is deleted.
        """
        version = naming.label_version(network, label, number)
        self._fleet.tell_gateways(SWITCHED_NEWS, Switched(version.network_id))
        logger.info("%s has the label %s, as %s asked.", version, label, requested_by, extra=about(version.ref()))
        return version

    def remove_label(self, network: str, label: str, requested_by: str) -> str:
        """Forget a label; says whose it was.

        Raises:
            NotFoundError: there is none.
        """
        nn_id = naming.remove_label(network, label)
        self._fleet.tell_gateways(SWITCHED_NEWS, Switched(nn_id))
        logger.info("%s has the label %s no more, as %s asked.", nn_id, label, requested_by)
        return nn_id

    def switch_to(
        self, version: Version, kind: Activation.Kind, requested_by: str, only_first: bool = False
    ) -> SwitchResult:
        """Have every worker load a stored version, and make it active when all have; the attempt is recorded.

        Raises:
            BrokerUnavailableError, NoWorkersError: nobody could load it; the version stays as it was.
            ConflictError: the version was deleted meanwhile.
        """
        activation = services.begin(version, kind, requested_by)
        with _counted(activation), _ending(activation):
            result = SwitchResult(activation, self._load(activation))
            # The connection may have been lost while the workers were loading.
            on_live_connection(lambda: services.record_reports(activation, result.reports))
            if result.loaded:
                services.commit(activation, only_first)
                self._fleet.tell_gateways(SWITCHED_NEWS, Switched(version.network_id))
                logger.info(
                    "%s is active: %d workers loaded it.", version, len(result.reports), extra=about(version.ref())
                )
            else:
                services.close(activation, Activation.Outcome.FAILED, _first_reason(result.reports))
                logger.warning(
                    "%s failed on a worker; what was active stays active.", version, extra=about(version.ref())
                )
        return result

    def _load(self, activation: Activation) -> list[Report]:
        timeout = shared_settings().load_timeout_seconds
        answer = self._fleet.load(activation.version.ref(), timeout, partial(_note_reports, activation))
        hint = refusals.hint(timeout)
        trace = f"the worker did not report within {timeout:g} s{hint}"
        silent = Report(services.SILENT, loaded=False, trace=trace, seconds=timeout)
        reports = answer.messages + [silent] * answer.silent
        if not reports:
            raise NoWorkersError(f"no worker is connected{refusals.hint(HINT_SECONDS)}")
        return reports


def _note_reports(activation: Activation, reports: list[Report], workers_asked: int) -> None:
    """Show those who look on what is in already; all are recorded again in the end, so that nothing depends on it."""
    try:
        on_live_connection(lambda: services.note_reports(activation, reports, workers_asked))
    except DatabaseError as error:
        version = activation.version
        logger.warning("The reports on %s are shown at its end only: %s", version, error, extra=about(version.ref()))


@contextmanager
def _counted(activation: Activation) -> Iterator[None]:
    """Leave for /metrics how an activation ended, and how long it took."""
    try:
        yield
    finally:
        running = activation.outcome == Activation.Outcome.RUNNING
        outcome = Activation.Outcome.UNAVAILABLE if running else activation.outcome
        took = activation.seconds or (timezone.now() - activation.started_at).total_seconds()
        observations.switches.append((str(activation.kind), str(outcome), took))


@contextmanager
def _ending(activation: Activation) -> Iterator[None]:
    """See to it that an activation ends in the database, however it ends here."""
    try:
        yield
    except (BrokerUnavailableError, NoWorkersError) as error:
        _close(activation, error)
        version = activation.version
        address = f"/networks/{version.network_id}/activate"
        raise type(error)(
            f"{error}; version {version.number} is kept: when /status shows workers, "
            f'POST {address} with {{"version": {version.number}}}'
        ) from error
    except BaseException as error:
        _close(activation, error)
        raise


def _close(activation: Activation, error: BaseException) -> None:
    match error:
        case NoWorkersError():
            outcome = Activation.Outcome.NO_WORKERS
        case AlreadyActiveError():
            outcome = Activation.Outcome.NOT_FIRST
        case ConflictError():
            outcome = Activation.Outcome.FAILED
        case _:
            outcome = Activation.Outcome.UNAVAILABLE
    # What is no error of ours may say what a stranger must not read.
    detail = str(error) if isinstance(error, InferenceError) else f"interrupted by {type(error).__name__}"
    version = activation.version
    about_it = {"nn_id": version.network_id, "version": version.number}  # whose files may be deleted
    logger.warning("%s does not become active: %s; what was active stays active.", version, detail, extra=about_it)
    try:
        on_live_connection(lambda: services.close(activation, outcome, detail))
    except DatabaseError:
        logger.exception("How this ended is not recorded: %s shows as interrupted.", version, extra=about_it)


def _first_reason(reports: list[Report]) -> str:
    failed = next(report for report in reports if not report.loaded)
    lines = failed.trace.strip().splitlines() or ["no reason given"]
    return f"{failed.worker}: {lines[-1]}"
