"""How every line of the log is written, by gateway and worker alike: as text for a person, or as JSON.

A line about a request has its id; one about a network says in JSON which network and version in fields of their own.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Protocol

from workers.messages.request_id import REQUEST_ID
from workers.settings import settings

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
#: What a line may say in fields of its own, given as `extra`.
FIELDS = ("nn_id", "version", "worker", "request_ids")
#: What a terminal takes for a command, what another line begins with, and what no file can hold.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class OfNetwork(Protocol):
    """A version of a network, as messages name it."""

    @property
    def nn_id(self) -> str:
        """The network."""

    @property
    def number(self) -> int:
        """The version."""


def about(version: OfNetwork, **fields: Any) -> dict[str, Any]:
    """The `extra` of a line about a version."""
    return {"nn_id": version.nn_id, "version": version.number, **fields}


class TextFormatter(logging.Formatter):
    """One line for a person, with the request's id at its end; a trace follows on lines of its own, moved to the right.

    What strangers have sent cannot look like a line of ours, nor tell a terminal anything.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line and its trace."""
        return _CONTROL.sub(_show, super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line without its trace."""
        line = super().formatMessage(record)
        ids = request_ids(record)
        return f"{line} [request {', '.join(ids)}]" if ids else line


def _show(control: re.Match[str]) -> str:
    return "\n    " if control[0] == "\n" else control[0].encode("unicode_escape").decode("ascii")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; a trace is a field of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        ids = request_ids(record)
        if len(ids) == 1:
            line["request_id"] = ids[0]
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def request_ids(record: logging.LogRecord) -> list[str]:
    """The requests that a line is about: those that it names, else the one that is being handled."""
    named = getattr(record, "request_ids", None)
    if named is not None:
        return [str(each) for each in named]
    own = REQUEST_ID.get()
    return [own] if own else []


def formatter() -> logging.Formatter:
    """How this process writes its lines, by PIPELINE_LOG_FORMAT."""
    return JsonFormatter() if settings().log_format == "json" else TextFormatter(TEXT)


def use_formatter(logger: logging.Logger) -> None:
    """Have the handlers of a logger, which somebody else has set up, write so."""
    for handler in logger.handlers:
        handler.setFormatter(formatter())
