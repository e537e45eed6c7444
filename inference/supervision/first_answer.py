"""The way from started processes to a service that answers: wait, load a first network, ask it, tell the user."""

from __future__ import annotations

import base64
import binascii
import json
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kombu.utils.url import maybe_sanitize_url

from inference.client.http_client import ALREADY_ACTIVE, Answer, ClientError, PipelineClient
from inference.supervision.addresses import Bind
from inference.supervision.errors import StartError
from workers.settings import settings

FIRST_NN_ID = "000127a35b5f462b8ec68fb4d905ac36"
QUESTION = (0.1, 0.2)
NO_NETWORK = "No weights loaded"
ROWS_OF_ANOTHER_SHAPE = "RowsError"
POLL_SECONDS = 0.1
ONE_LOOK_SECONDS = 5.0

Look = Callable[[], None]


def wait_until_answering(client: PipelineClient, workers: int, deadline_seconds: float, look: Look) -> int:
    """Wait until GET /status shows at least so many workers, or answers at all when `workers` is 0.

    `look` is called at every turn: it shows progress and raises when a process has ended. Returns the workers seen.

    Raises:
        StartError: that did not happen by the deadline.
    """
    end = time.monotonic() + deadline_seconds
    seen = 0
    trouble = f"no gateway answers at {client.url}"
    while True:
        look()
        try:
            seen = int(client.status(timeout_seconds=ONE_LOOK_SECONDS).get("workers_count") or 0)
            if seen >= workers:
                return seen
            trouble = f"{seen} of {workers} workers answer"
        except ClientError as error:
            trouble = str(error)
            if error.status_code is not None and workers == 0:
                return 0
        _next_turn(end, f"not ready after {deadline_seconds:g} s: {trouble}")


def load_first_network(client: PipelineClient, data: Path, deadline_seconds: float, look: Look) -> str | None:
    """Upload the first sample network of the folder `data` when no network is active; returns its nn_id, or None.

    A network that somebody uploads meanwhile stays: the gateway decides, where the sample would become active.

    Raises:
        StartError: the sample is missing, or the workers refused it.
    """
    if _ask(client, deadline_seconds, look).get("message") != NO_NETWORK:
        return None
    sample = next(iter(sorted(data.glob(f"{FIRST_NN_ID}_*.b64"))), None)
    if sample is None:
        raise StartError(f"no network is active and {data} holds no sample {FIRST_NN_ID}_*.b64 to begin with")
    look()
    try:
        answer = client.set_weights(FIRST_NN_ID, sample.name, sample.read_bytes(), only_first=True)
    except (ClientError, OSError) as error:
        if isinstance(error, ClientError) and error.status_code == ALREADY_ACTIVE:
            return None
        raise StartError(f"cannot load the first network {sample.name}: {error}") from error
    if answer.get("status") is not True:
        raise StartError(f"the workers refused the first network {sample.name}: {_reason(answer)}")
    return FIRST_NN_ID


def self_test(client: PipelineClient, deadline_seconds: float, look: Look) -> str:
    """Ask for a prediction until one succeeds; returns the nn_id that made it.

    A network that takes rows of another shape has answered too: it says so, and an empty text is returned.

    Raises:
        StartError: no prediction succeeded by the deadline.
    """
    end = time.monotonic() + deadline_seconds
    while True:
        answer = _ask(client, max(0.0, end - time.monotonic()), look)
        if answer.get("status") is True:
            return str(answer.get("message"))
        reason = _reason(answer)
        if ROWS_OF_ANOTHER_SHAPE in reason:
            return ""
        _next_turn(end, f"the self-test prediction fails: {reason}")


def refusal(client: PipelineClient) -> str:
    """Why GET /status is refused now; an empty text when it is not."""
    try:
        client.status(timeout_seconds=ONE_LOOK_SECONDS)
    except ClientError as error:
        return str(error)
    return ""


def without_password(broker_url: str) -> str:
    """A broker's address, or several with `;` between them, as it may be shown."""
    return ";".join(maybe_sanitize_url(url) for url in broker_url.split(";"))


def banner(
    url: str,
    data_dir: Path,
    root: Path,
    heading: str = "Pipeline answers at {url}",
    *,
    tokens: bool = False,
    grpc: Bind | None = None,
) -> str:
    """What a user who has just started the service wants to know, with lines that work when copied.

    `tokens` says that requests need one, `grpc` where that is answered, if it is.
    """
    setting = "" if data_dir == root / "var" else f"PIPELINE_DATA_DIR={shlex.quote(str(data_dir))} "
    manage = f"{setting}{_shown(Path(sys.executable))} {_shown(root / 'manage.py')}"
    body = json.dumps({"vector": QUESTION})
    make_token = (
        f"Requests need a token here; NAME is who it is for:\n\n"
        f"  export PIPELINE_TOKEN=$({manage} create_token NAME --may predict,status,weights)\n"
    )
    header = '-H "Authorization: Token $PIPELINE_TOKEN" ' if tokens else ""
    return (
        f"\n{heading.format(url=url)}\n\n"
        f"{make_token if tokens else ''}"
        f"  curl -X POST {url}/predict {header}-H 'Content-Type: application/json' -d '{body}'\n\n"
        f"admin: {url}/admin/  (make a user for it first: {manage} createsuperuser)\n"
        f"{f'gRPC:  {grpc}' + chr(10) if grpc else ''}"
        f"logs:  {data_dir / 'log'}\n"
        "stop:  Ctrl-C\n"
    )


def worker_hint(root: Path, broker_url: str = "$BROKER_URL") -> str:
    """How to start a worker for this gateway, on this host or another."""
    return f"cd {shlex.quote(str(root))} && BROKER_URL={broker_url} .venv/bin/celery -A workers worker"


def same_key() -> str:
    """What a worker's command does not say, and its environment must; no key is shown."""
    return " with the same PIPELINE_MESSAGE_KEY" if settings().message_keys else ""


def _ask(client: PipelineClient, deadline_seconds: float, look: Look) -> Answer:
    """A prediction's answer, asked for again while the gateway is not ready for it."""
    end = time.monotonic() + deadline_seconds
    while True:
        look()
        try:
            return client.predict(QUESTION)
        except ClientError as error:
            _next_turn(end, f"no prediction comes back: {error}")


def _next_turn(end: float, trouble: str) -> None:
    if time.monotonic() >= end:
        raise StartError(trouble)
    time.sleep(POLL_SECONDS)


def _reason(answer: Answer) -> str:
    """The last line of a failed answer's trace, a refusing worker's before the answer's own; or its message."""
    for worker in answer.get("workers") or ():
        if isinstance(worker, dict) and worker.get("trace"):
            return _last_line(str(worker["trace"]))
    return _last_line(str(answer.get("message")))


def _last_line(text: str) -> str:
    with suppress(binascii.Error, ValueError):
        text = base64.b64decode(text, validate=True).decode()
    return (text.strip().splitlines() or [""])[-1]


def _shown(path: Path) -> str:
    """The path as one would type it from the current folder."""
    try:
        return shlex.quote(str(path.relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(path))
