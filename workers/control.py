"""The broadcast commands that every worker obeys: load a version, and tell how it is.

They run in the worker's main thread, so each hands its work on at once. Reports go to the reply queue of the
gateway that asked, not through Celery's control replies, whose collection has a fixed wait.
"""

from __future__ import annotations

from typing import Any

from celery.worker.control import control_command

from workers.protocol import LOAD_COMMAND, STATUS_COMMAND, VersionRef
from workers.worker import this_worker


@control_command(name=LOAD_COMMAND, args=[("version", dict), ("reply_to", str), ("ticket", str)])
def load_network(state: Any, version: dict[str, Any], reply_to: str, ticket: str) -> None:
    """Load a version and report; what is served does not change."""
    this_worker().load_later(VersionRef.from_json(version), str(reply_to), str(ticket))


@control_command(name=STATUS_COMMAND, args=[("default", dict), ("reply_to", str), ("ticket", str)])
def report_status(state: Any, default: dict[str, Any] | None, reply_to: str, ticket: str) -> None:
    """Report address, network and statistics."""
    worker = this_worker()
    status = worker.status(None if default is None else VersionRef.from_json(default))
    worker.send(status, str(reply_to), str(ticket))
