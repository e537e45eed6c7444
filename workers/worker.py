"""What one worker process owns: its networks, its helper process, its statistics and the threads that load."""

from __future__ import annotations

import logging
import threading
import traceback
from dataclasses import replace
from time import monotonic, perf_counter

from celery import Celery

from workers.consuming.bounded_threads import BoundedThreads
from workers.consuming.celery_side import CelerySide, set_celery_side
from workers.logs import about
from workers.measuring.addresses import host_addresses
from workers.measuring.measured import Measured
from workers.measuring.stats import RequestStats
from workers.measuring.usage import cpu_seconds, memory_bytes
from workers.messages.details import WorkerDetails
from workers.messages.measures import WorkerMeasures
from workers.messages.message import shorten
from workers.messages.protocol import Report, VersionRef, WorkerStatus
from workers.messages.refusals import RefusedError, refusals
from workers.messages.request_id import handling
from workers.messages.signing import message_keys
from workers.runtime.backend import program_versions, use_threads
from workers.runtime.errors import KeyMismatchError, PipelineRuntimeError, SupplyError
from workers.runtime.load_folder import remove_abandoned_folders
from workers.runtime.loading import LoadedVersion
from workers.runtime.networks import Networks
from workers.runtime.own_code import import_modules
from workers.runtime.weights_file import WeightsFileReader
from workers.settings import Settings
from workers.supply import Supply
from workers.version import VERSION

logger = logging.getLogger(__name__)

#: Weight changes whose report is kept in case that the gateway asks for it again.
REMEMBERED_TICKETS = 100
#: The parts of the load timeout that fetching a file, and reading it, may take: a slow load is then this worker's
#: own report, not the gateway's guess.
FETCH_PART, READ_PART = 0.45, 0.45
#: Each load that waits for a slow file or gateway takes a thread; other networks' loads must find one.
LOADS_AT_ONCE = 8
#: How long a worker that connects waits for a gateway that tells which versions are active.
GATEWAY_SECONDS = 5.0


class Worker:
    """One worker of the fleet; made when the process starts, stopped when it ends."""

    def __init__(self, app: Celery, name: str, settings: Settings) -> None:
        self.name = name
        self.stats = RequestStats()
        self.measured = Measured()
        self.consuming = CelerySide(app, name)
        self._settings = settings
        self._reader = WeightsFileReader(settings.load_timeout_seconds * READ_PART)
        self._supply = Supply(app, settings.load_timeout_seconds * FETCH_PART)
        self._loader = BoundedThreads(LOADS_AT_ONCE, "loader")
        self._shown: VersionRef | None = None
        self._lock = threading.Lock()
        self._reports: dict[str, Report | None] = {}
        self.networks = Networks(
            self._supply.fetch_file,
            self._reader,
            settings.worker_memory_bytes,
            settings.worker_max_network_bytes,
            self.measured,
        )

    def start(self) -> None:
        """Prepare TensorFlow, own code and the helper process, so that no load waits, and make room on the disk."""
        remove_abandoned_folders()
        use_threads(self._settings.worker_tensorflow_threads, self._settings.worker_concurrency + LOADS_AT_ONCE)
        import_modules(self._settings.modules)
        self._reader.start()

    def stop(self) -> None:
        """End the threads and the helper process."""
        self._loader.stop()
        try:
            # Before the helpers end: a load that they break off is no report any more.
            self.consuming.stop()
        finally:
            self._reader.stop()
        self._supply.renew()

    def renew_connections(self) -> None:
        """After a reconnect: other connections may lead nowhere without anybody knowing, and are opened anew."""
        self.consuming.renew_connections()
        self._supply.renew()

    def load_later(self, version: VersionRef, reply_to: str, ticket: str, request_id: str = "") -> None:
        """Load the version off the caller's thread, and send the report to the queue `reply_to`.

        A gateway asks again while it waits: the same ticket is loaded once, and a report that was sent is sent again.
        Where messages are signed, one that was recorded is refused: the gateway must be waiting for its ticket now.
        """
        self._loader.call(self._load_if_awaited, version, reply_to, ticket, request_id)

    def _load_if_awaited(self, version: VersionRef, reply_to: str, ticket: str, request_id: str) -> None:
        if message_keys() is not None and not self._is_awaited(version, reply_to, ticket):
            return
        with self._lock:
            known = ticket in self._reports
            report = self._reports.setdefault(ticket, None)
            while len(self._reports) > REMEMBERED_TICKETS:
                del self._reports[next(iter(self._reports))]
        if not known:
            self._load_and_report(version, reply_to, ticket, request_id)
        elif report is not None:
            self.consuming.reporter.send(report, reply_to, ticket)

    def _is_awaited(self, version: VersionRef, reply_to: str, ticket: str) -> bool:
        try:
            awaited = self._supply.is_awaited(reply_to, ticket)
        except SupplyError as error:
            refusals.add(
                RefusedError(f"to load {version}: the gateway that is said to wait for it is asked, and {error}")
            )
            return False
        if not awaited:
            refusals.add(
                RefusedError(f"to load {version}: no gateway waits for it, so it was sent before, and is a replay")
            )
        return awaited

    def catch_up_later(self) -> None:
        """Load what is active off the caller's thread."""
        self._loader.call(self._catch_up_quietly)

    def _catch_up_quietly(self) -> None:
        try:
            self.catch_up()
        except KeyMismatchError as error:
            logger.critical("Gateways and this worker do not believe each other: %s.", error)

    def catch_up(self) -> None:
        """Load the versions that are active already, as far as memory and the load timeout reach.

        Raises:
            KeyMismatchError: gateways and this worker do not believe each other.
        """
        try:
            active = self._supply.active_versions(GATEWAY_SECONDS).versions
        except KeyMismatchError:
            raise
        except SupplyError as error:
            logger.info("No gateway tells what is active (%s); a network is loaded when it is asked for.", error)
            return
        deadline = monotonic() + self._settings.load_timeout_seconds
        for version in active:
            if monotonic() > deadline:
                logger.info("Loading took long; the others are loaded when they are asked for.")
                break
            if self.networks.free_bytes() <= 0:
                logger.info("The memory for networks is full; the others are loaded when they are asked for.")
                break
            self._load_ahead(version)
        if active:
            # Last, so that it is the last to make room for others.
            self._load_ahead(active[0])
            self._show(active[0])

    def status(self, default: VersionRef | None) -> WorkerStatus:
        """What this worker shows; `default` is the default network's active version."""
        self._show(default)
        averages = self.stats.averages()
        return WorkerStatus(
            worker=self.name,
            address=host_addresses(),
            nn_id=self._shown.nn_id if self._shown else None,
            number=self._shown.number if self._shown else None,
            req_handling_time_avg_ms=averages.handling_ms,
            inference_time_avg_ms=averages.inference_ms,
            count_requests_handled=averages.requests_handled,
            details=self._details(),
        )

    def measures(self, default: VersionRef | None) -> WorkerMeasures:
        """What this worker has counted, and what it takes; `default` as for `status`."""
        self._show(default)
        return WorkerMeasures(
            worker=self.name,
            nn_id=self._shown.nn_id if self._shown else None,
            number=self._shown.number if self._shown else None,
            counts=self.measured.counts(),
            cpu_seconds=cpu_seconds(),
            # What is loaded is for /status: nobody measures it by name.
            details=replace(self._details(), loaded=[]),
        )

    def _details(self) -> WorkerDetails:
        return WorkerDetails.of(
            {"pipeline": VERSION, **program_versions()},
            memory_bytes(),
            self.networks.used_bytes(),
            self._settings.worker_memory_bytes,
            self.networks.loaded(),
        )

    def _show(self, default: VersionRef | None) -> None:
        if default is not None and self.networks.holds(default):
            self._shown = default

    def _load_and_report(self, version: VersionRef, reply_to: str, ticket: str, request_id: str) -> None:
        started = perf_counter()
        with handling(request_id):
            loaded = self._load(version)
        seconds = perf_counter() - started
        if isinstance(loaded, str):
            report = Report(self.name, loaded=False, trace=loaded, seconds=seconds)
        else:
            report = Report(self.name, True, "", seconds, loaded.remarks, loaded.signature)
        with self._lock:
            self._reports[ticket] = report
        self.consuming.reporter.send(report, reply_to, ticket)

    def _load(self, version: VersionRef) -> LoadedVersion | str:
        """Load a version; returns the trace when that cannot be done."""
        try:
            return self.networks.acquire(version)
        except PipelineRuntimeError:
            trace = shorten(traceback.format_exc())
            logger.warning("Cannot load %s; what is served stays as it is.\n%s", version, trace, extra=about(version))
        except Exception:
            trace = shorten(traceback.format_exc())
            logger.exception("Loading %s failed unexpectedly; what is served stays.", version, extra=about(version))
        return trace

    def _load_ahead(self, version: VersionRef) -> None:
        try:
            self.networks.acquire(version)
        except Exception:  # noqa: BLE001 - the log has its trace
            trace = shorten(traceback.format_exc())
            about_it = about(version)
            logger.warning("Cannot load %s yet; trying again when it is asked for.\n%s", version, trace, extra=about_it)


_worker: Worker | None = None


def set_worker(worker: Worker | None) -> None:
    """Make `worker` this process's own."""
    global _worker
    _worker = worker
    set_celery_side(worker.consuming if worker else None)


def this_worker() -> Worker:
    """The worker of this process.

    Raises:
        RuntimeError: this process runs none.
    """
    if _worker is None:
        raise RuntimeError("this process runs no worker: start one with `celery -A workers worker`")
    return _worker
