"""A weight change from the upload to the switch: every worker loads it, or nobody serves it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import IO

from inference import services
from inference.errors import NoWorkersError
from inference.gateway import gateway
from inference.models import Version
from inference.uploads import store_upload
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


def set_weights(nn_id: str, file_name: str, weights: bytes | IO[bytes]) -> SwitchResult:
    """Store an upload, have every worker load it, and make it active when all have.

    Raises:
        BadInputError: a `.keras` archive whose architecture cannot be read.
        BrokerUnavailableError, NoWorkersError: nobody could load it; the version stays pending.
    """
    return switch_to(store_upload(nn_id, file_name, weights))


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
