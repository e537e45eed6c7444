"""Reads a task as Celery sends it: version 2 of its message protocol, in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from inference.amqp_door.names import TASK
from inference.errors import BadInputError
from workers.messages.refusals import require_sent

#: A place among the arguments for each; the others have a name alone.
BY_PLACE = ("network", "data", "version")
ARGUMENTS = (*BY_PLACE, "vector", "inputs")


def read_arguments(headers: Mapping[str, Any], content_type: Any, body: bytes | str) -> dict[str, Any]:
    """The task's arguments by name, without those that are null.

    Raises:
        RefusedError: it is no task that can be read, or another one.
        BadInputError: it has arguments that the task has not, or asks for what is not done here.
    """
    require_sent("task" in headers, "it has no header `task`: Celery's message protocol, version 2, has one")
    require_sent(headers["task"] == TASK, f"the task is {_shown(headers['task'])}; this queue takes {TASK} alone")
    require_sent(content_type == "application/json", f"its content is {_shown(content_type)}, not application/json")
    try:
        content = orjson.loads(body)
    except ValueError as error:
        require_sent(False, f"it is no JSON: {error}")
    require_sent(isinstance(content, list) and len(content) == 3, "its body is not [arguments, named arguments, more]")
    given, named, more = content
    require_sent(isinstance(given, list) and isinstance(named, dict), "its arguments are no list, or no object")
    if headers.get("eta") is not None:
        raise BadInputError("tasks for later (eta, countdown) are not kept here: send it when it is to be answered")
    if isinstance(more, dict) and any(more.get(each) for each in ("callbacks", "errbacks", "chain", "chord")):
        raise BadInputError("callbacks, errbacks, chains and chords are not followed here")
    return _by_name(given, named)


def _by_name(given: list[Any], named: dict[str, Any]) -> dict[str, Any]:
    if len(given) > len(BY_PLACE):
        raise BadInputError(f"{TASK} takes {len(BY_PLACE)} arguments by place ({', '.join(BY_PLACE)})")
    arguments = dict(zip(BY_PLACE, given, strict=False))
    for name, value in named.items():
        if name not in ARGUMENTS:
            raise BadInputError(f"{TASK} has no argument {_shown(name)}; it takes {', '.join(ARGUMENTS)}")
        if name in arguments:
            raise BadInputError(f"{name} is given twice, by place and by name")
        arguments[name] = value
    return {name: value for name, value in arguments.items() if value is not None}


def _shown(value: Any) -> str:
    return ascii(value)[:80]
