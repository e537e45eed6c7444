"""What /status tells: this gateway's queue, the times of recent requests, and the fleet."""

from __future__ import annotations

from typing import Any

from inference.gateway import gateway
from inference.versions import selectors
from workers.messages.protocol import WorkerStatus
from workers.settings import settings as shared_settings


def read_status() -> dict[str, Any]:
    """The answer to GET /status, as soon as the last connected worker has answered.

    Raises:
        BrokerUnavailableError: the broker cannot be reached.
    """
    running = gateway()
    running.timings.flush()
    default = selectors.default_version()
    timeout = shared_settings().status_timeout_seconds
    others = running.fleet.gateways(timeout).messages
    gateways = {status.gateway: status for status in (*others, running.status())}.values()
    answer = running.fleet.status(default, timeout)
    return {
        "status": True,
        "message": "OK",
        "queue_requests_current": sum(gateway.requests_held for gateway in gateways),
        "queue_requests_max": sum(gateway.requests_max for gateway in gateways),
        "timings_dropped": sum(gateway.timings_dropped for gateway in gateways),
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
