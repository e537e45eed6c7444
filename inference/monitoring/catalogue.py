"""Every metric of `GET /metrics`: its name, kind, labels and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workers.messages.measures import INFERENCE_BOUNDS

SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
SWITCH_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
REQUESTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `bounds` are a histogram's, each inclusive, the one beyond the last left out."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


def _counter(name: str, help: str, *labels: str) -> Metric:  # noqa: A002 - Prometheus calls it so
    return Metric("counter", name, help, labels)


def _gauge(name: str, help: str, *labels: str) -> Metric:  # noqa: A002
    return Metric("gauge", name, help, labels)


def _histogram(name: str, help: str, bounds: tuple[float, ...], *labels: str) -> Metric:  # noqa: A002
    return Metric("histogram", name, help, labels, bounds)


# Counted by the processes of this gateway, since its gunicorn started.
HTTP_REQUESTS = _counter(
    "pipeline_http_requests_total", "HTTP requests by address, method and status.", "endpoint", "method", "status"
)
HTTP_SECONDS = _histogram(
    "pipeline_http_request_duration_seconds", "From a request to the start of its answer.", SECONDS, "endpoint"
)
PREDICTIONS = _counter(
    "pipeline_predictions_total",
    "Prediction requests by how they ended (answered, failed, timed_out, refused) and what they came by.",
    "outcome",
    "door",
)
PREDICTION_ROWS = _counter("pipeline_prediction_rows_total", "Rows of answered prediction requests.")
PREDICTION_SECONDS = _histogram(
    "pipeline_prediction_duration_seconds", "Answered predictions: from their rows to their answer.", SECONDS
)
PREDICTION_QUEUE_SECONDS = _histogram(
    "pipeline_prediction_queue_seconds", "Answered predictions: from arrival until their batch was sent.", SECONDS
)
BATCH_REQUESTS = _histogram("pipeline_batch_requests", "Requests of each batch that was sent.", REQUESTS)
SWITCHES = _counter("pipeline_switches_total", "Activations by their kind and how they ended.", "kind", "outcome")
SWITCH_SECONDS_TAKEN = _histogram(
    "pipeline_switch_duration_seconds", "From an activation's begin to its end.", SWITCH_SECONDS, "outcome"
)
TIMINGS_DROPPED = _counter("pipeline_timings_dropped_total", "Request timings that never reached the database.")
BATCHES_QUARANTINED = _counter(
    "pipeline_batches_quarantined_total", "Poison messages: batches whose workers died of them."
)
BROKER_RECONNECTS = _counter("pipeline_broker_reconnects_total", "Times that a process lost the broker and was back.")
MESSAGES_REFUSED = _counter(
    "pipeline_messages_refused_total", "Messages from the broker that a gateway does not take: unsigned, malformed."
)
GATEWAY_CPU = _counter("pipeline_gateway_cpu_seconds_total", "Processor time of the gateway's processes.")

# As the processes of this gateway are now.
GATEWAY_PROCESSES = _gauge("pipeline_gateway_processes", "Processes of this gateway.")
GATEWAY_MEMORY = _gauge("pipeline_gateway_memory_bytes", "Resident memory of this gateway's processes.")
REQUESTS_HELD = _gauge("pipeline_requests_held", "Prediction requests that wait for their answer.")
REQUESTS_MAX = _gauge("pipeline_requests_held_max", "As many may be held; more are refused.")
BATCHES_IN_FLIGHT = _gauge("pipeline_batches_in_flight", "Batches on their way to a worker or back.")
BROKER_CONNECTED = _gauge("pipeline_broker_connected_processes", "Processes that receive from the broker.")

# Asked for when /metrics is.
UP = _gauge("pipeline_up", "Whether it answered in time just now: the database, the broker.", "part")
BUILD_INFO = _gauge("pipeline_build_info", "Always 1: this gateway's versions.", "version", "python")
ACTIVE_VERSION = _gauge("pipeline_active_version", "The number of a network's active version.", "nn_id", "default")
WORKERS = _gauge("pipeline_workers", "Workers that are connected to the broker.")
WORKERS_SILENT = _gauge("pipeline_workers_silent", "Connected workers that did not answer in time.")

# What each worker measures, since its start.
WORKER_INFO = _gauge(
    "pipeline_worker_info", "Always 1: a worker's versions.", "worker", "version", "python", "keras", "tensorflow"
)
WORKER_VERSION = _gauge(
    "pipeline_worker_version", "The version that a worker shows, of the default network.", "worker", "nn_id"
)
WORKER_BATCHES = _counter("pipeline_worker_batches_total", "Batches by how they ended.", "worker", "outcome")
WORKER_REQUESTS = _counter("pipeline_worker_requests_total", "Requests in answered batches.", "worker")
WORKER_ROWS = _counter("pipeline_worker_rows_total", "Rows in answered batches.", "worker")
WORKER_INFERENCE_SECONDS = _histogram(
    "pipeline_worker_inference_seconds", "The network's call, for a whole batch.", INFERENCE_BOUNDS, "worker"
)
WORKER_LOADS = _counter("pipeline_worker_loads_total", "Versions loaded, or not.", "worker", "outcome")
WORKER_LOAD_SECONDS = _counter("pipeline_worker_load_seconds_total", "Time spent to load versions.", "worker")
WORKER_APART = _counter(
    "pipeline_worker_requests_apart_total",
    "Requests computed by themselves: their networks' rows belong together.",
    "worker",
)
WORKER_EVICTIONS = _counter("pipeline_worker_evictions_total", "Versions that made room for others.", "worker")
WORKER_MESSAGES_REFUSED = _counter(
    "pipeline_worker_messages_refused_total", "Messages from the broker that a worker does not take.", "worker"
)
WORKER_VERSIONS = _gauge("pipeline_worker_versions_loaded", "Versions in memory, of all networks.", "worker")
WORKER_NETWORKS_BYTES = _gauge("pipeline_worker_networks_bytes", "Memory that networks are counted with.", "worker")
WORKER_NETWORKS_BYTES_MAX = _gauge("pipeline_worker_networks_bytes_max", "What they may take.", "worker")
WORKER_MEMORY = _gauge("pipeline_worker_memory_bytes", "Resident memory of the worker's process.", "worker")
WORKER_CPU = _counter("pipeline_worker_cpu_seconds_total", "Processor time of the worker's process.", "worker")

CATALOGUE: dict[str, Metric] = {
    metric.name: metric for metric in list(globals().values()) if isinstance(metric, Metric)
}
