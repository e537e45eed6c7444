"""The broadcast commands that every worker obeys: load a version, and tell how it is.

They run in the worker's main thread, so each hands its work on at once. Reports go to the reply queue of the
gateway that asked, not through Celery's control replies, whose collection has a fixed wait.
"""

from __future__ import annotations

from typing import Any

from celery.worker.control import control_command

from workers.messages.measures import MEASURES_COMMAND
from workers.messages.protocol import LOAD_COMMAND, STATUS_COMMAND, VersionRef
from workers.messages.request_id import REQUEST_ID_CHARACTERS_MAX
from workers.worker import this_worker


@control_command(name=LOAD_COMMAND, args=[("version", dict), ("reply_to", str), ("ticket", str)])
def load_network(state: Any, version: dict[str, Any], reply_to: str, ticket: str, request_id: str = "") -> None:
    """Load a version and report; what is served does not change."""
    request_id = str(request_id)[:REQUEST_ID_CHARACTERS_MAX]
    this_worker().load_later(VersionRef.from_json(version), str(reply_to), str(ticket), request_id)


@control_command(name=STATUS_COMMAND, args=[("default", dict), ("reply_to", str), ("ticket", str)])
def report_status(state: Any, default: dict[str, Any] | None, reply_to: str, ticket: str) -> None:
    """Report address, network and statistics."""
    worker = this_worker()
    status = worker.status(None if default is None else VersionRef.from_json(default))
    worker.consuming.reporter.send_later(status, str(reply_to), str(ticket))


@control_command(name=MEASURES_COMMAND, args=[("default", dict), ("reply_to", str), ("ticket", str)])
def report_measures(state: Any, default: dict[str, Any] | None, reply_to: str, ticket: str) -> None:
    """Report what is counted and measured."""
    worker = this_worker()
    measures = worker.measures(None if default is None else VersionRef.from_json(default))
    worker.consuming.reporter.send_later(measures, str(reply_to), str(ticket))
