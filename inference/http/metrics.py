"""`GET /metrics`: what this gateway's processes have counted, and what this one sees when it looks around.

It answers in bounded time with what is known then: `pipeline_up` says what did not answer.
"""

from __future__ import annotations

import platform

from django.db import Error as DatabaseError

from inference.errors import BrokerUnavailableError
from inference.gateway import gateway
from inference.monitoring import catalogue
from inference.monitoring.reading import Reading
from inference.monitoring.worker_metrics import tell_worker
from workers.version import VERSION


def metrics_text() -> bytes:
    """Everything, in Prometheus' text format."""
    reading = Reading()
    reading.tell(catalogue.BUILD_INFO, 1, VERSION, platform.python_version())
    _tell_database(reading)
    _tell_workers(reading)
    reading.tell_processes(*gateway().recorder.read_all())
    return reading.to_text()


def _tell_database(reading: Reading) -> None:
    try:
        served = gateway().health.served()
    except (TimeoutError, DatabaseError):
        reading.tell(catalogue.UP, 0, "database")
        return
    reading.tell(catalogue.UP, 1, "database")
    if served.default:
        reading.tell(catalogue.ACTIVE_VERSION, served.default.number, served.default.nn_id, "true")
    for version in served.others:
        reading.tell(catalogue.ACTIVE_VERSION, version.number, version.nn_id, "false")


def _tell_workers(reading: Reading) -> None:
    try:
        answers = gateway().health.workers()
    except (TimeoutError, BrokerUnavailableError):
        reading.tell(catalogue.UP, 0, "broker")
        return
    reading.tell(catalogue.UP, 1, "broker")
    reading.tell(catalogue.WORKERS, len(answers.messages) + answers.silent)
    reading.tell(catalogue.WORKERS_SILENT, answers.silent)
    for measures in answers.messages:
        tell_worker(reading, measures)
