"""A weight change from the upload to the switch: every worker loads it, or nobody serves it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.conf import settings

from inference import services
from inference.errors import BadInputError, NoWorkersError
from inference.gateway import gateway
from inference.models import Version
from workers.file_format import read_architecture, tell_format
from workers.protocol import Report
from workers.settings import settings as shared_settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SwitchResult:
    """How a weight change ended: every asked worker's report, the silent ones' among them."""

    version: Version
    reports: list[Report]

    @property
    def loaded(self) -> bool:
        """Whether every worker has loaded the version, which makes it active."""
        return all(report.loaded for report in self.reports)


def set_weights(nn_id: str, file_name: str, weights: bytes) -> SwitchResult:
    """Store an upload, have every worker load it, and make it active when all have.

    Raises:
        BadInputError: a `.keras` archive whose architecture cannot be read.
        BrokerUnavailableError, NoWorkersError: nobody could load it; the version stays pending.
    """
    default = settings.PIPELINE_DEFAULT_ARCHITECTURE.read_bytes()
    version = services.store_version(nn_id, file_name, weights, default, _own_architecture(weights))
    logger.info("Stored %s (%s, %d bytes); asking the workers to load it.", version, file_name, len(weights))
    return switch_to(version)


def _own_architecture(weights: bytes) -> bytes | None:
    """The architecture that comes with a `.keras` archive; other formats bring none."""
    if tell_format(weights) != "keras":
        return None
    try:
        return read_architecture(weights).encode()
    except ValueError as error:
        raise BadInputError(f"data is a .keras archive that cannot be read: {error}") from error


def switch_to(version: Version) -> SwitchResult:
    """Have every worker load a stored version, and make it active when all have.

    Raises:
        BrokerUnavailableError, NoWorkersError: nobody could load it; the version stays as it was.
    """
    timeout = shared_settings().load_timeout_seconds
    answer = gateway().fleet.load(version.ref(), timeout)
    silent = Report("(silent)", loaded=False, trace=f"the worker did not report within {timeout:g} s", seconds=timeout)
    result = SwitchResult(version, answer.messages + [silent] * answer.silent)
    if not result.reports:
        raise NoWorkersError("no worker is connected; the upload is kept, send it again when /status shows workers")
    services.record_reports(version, result.reports)
    if result.loaded:
        services.activate(version)
        logger.info("%s is active: %d workers loaded it.", version, len(result.reports))
    else:
        services.mark_failed(version)
        logger.warning("%s failed on a worker; what was active stays active.", version)
    return result
