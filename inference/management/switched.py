"""What the commands that switch a version print: one line, or the reason why nothing has changed."""

from __future__ import annotations

from django.core.management.base import CommandError

from inference.client.http_client import Answer
from inference.http.bodies.base64_text import decode_text


def switched(answer: Answer) -> str:
    """The line that tells what is active now.

    Raises:
        CommandError: a worker could not load the version; it tells the first one's reason.
    """
    if answer.get("status") is not True:
        raise CommandError(f"{answer.get('message')}: {_first_reason(answer)}")
    count = answer["workers_count"]
    workers = "1 worker" if count == 1 else f"{count} workers"
    return f"{answer.get('nn_id')} version {answer.get('version')} is active, loaded by {workers}"


def _first_reason(answer: Answer) -> str:
    traces = [decode_text(str(worker["trace"])) for worker in answer.get("workers", []) if "trace" in worker]
    return traces[0].strip().rpartition("\n")[2] if traces else "no worker said why"
