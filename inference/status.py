"""What /status tells: this gateway's queue, the times of recent requests, and the fleet."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from inference import selectors
from inference.gateway import gateway
from workers.protocol import WorkerStatus
from workers.settings import settings as shared_settings


def read_status() -> dict[str, Any]:
    """The answer to GET /status, as soon as the last connected worker has answered.

    Raises:
        BrokerUnavailableError: the broker cannot be reached.
    """
    running = gateway()
    running.timings.flush()
    default = selectors.active_version(None)
    answer = running.fleet.status(default, shared_settings().status_timeout_seconds)
    return {
        "status": True,
        "message": "OK",
        "queue_requests_current": running.dispatcher.requests_held,
        "queue_requests_max": settings.PIPELINE_QUEUE_REQUESTS_MAX,
        "req_handling_time_avg_ms": selectors.average_handling_ms(),
        "workers_count": len(answer.messages) + answer.silent,
        "workers_silent": answer.silent,
        "workers": [_worker(worker) for worker in answer.messages],
    }


def _worker(worker: WorkerStatus) -> dict[str, Any]:
    return {
        "address": worker.address,
        "nn_id": worker.nn_id,
        "req_handling_time_avg_ms": worker.req_handling_time_avg_ms,
        "count_requests_handled": worker.count_requests_handled,
        "inference_time_avg_ms": worker.inference_time_avg_ms,
        "worker": worker.worker,
        "version": worker.number,
    }
