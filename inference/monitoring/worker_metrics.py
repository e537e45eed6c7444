"""A worker's own account, as metrics of it."""

from __future__ import annotations

from inference.monitoring import catalogue
from inference.monitoring.reading import Reading
from workers.messages.measures import WorkerMeasures


def tell_worker(reading: Reading, measures: WorkerMeasures) -> None:
    """Tell what a worker measures."""
    worker, counts, details = measures.worker, measures.counts, measures.details
    versions = [details.programs[name] for name in ("pipeline", "python", "keras", "tensorflow")]
    reading.tell(catalogue.WORKER_INFO, 1, worker, *versions)
    if measures.nn_id is not None and measures.number is not None:
        reading.tell(catalogue.WORKER_VERSION, measures.number, worker, measures.nn_id)
    reading.tell(catalogue.WORKER_BATCHES, sum(counts.inference), worker, "answered")
    reading.tell(catalogue.WORKER_BATCHES, counts.failed_batches, worker, "failed")
    reading.tell(catalogue.WORKER_REQUESTS, counts.requests, worker)
    reading.tell(catalogue.WORKER_ROWS, counts.rows, worker)
    reading.tell_histogram(catalogue.WORKER_INFERENCE_SECONDS, counts.inference, counts.inference_seconds, worker)
    reading.tell(catalogue.WORKER_LOADS, counts.loads, worker, "loaded")
    reading.tell(catalogue.WORKER_LOADS, counts.failed_loads, worker, "failed")
    reading.tell(catalogue.WORKER_LOAD_SECONDS, counts.load_seconds, worker)
    reading.tell(catalogue.WORKER_APART, counts.requests_apart, worker)
    reading.tell(catalogue.WORKER_EVICTIONS, counts.evictions, worker)
    reading.tell(catalogue.WORKER_MESSAGES_REFUSED, counts.messages_refused, worker)
    reading.tell(catalogue.WORKER_VERSIONS, details.loaded_count, worker)
    reading.tell(catalogue.WORKER_NETWORKS_BYTES, details.networks_bytes, worker)
    reading.tell(catalogue.WORKER_NETWORKS_BYTES_MAX, details.networks_bytes_max, worker)
    reading.tell(catalogue.WORKER_MEMORY, details.memory_bytes, worker)
    reading.tell(catalogue.WORKER_CPU, measures.cpu_seconds, worker)
