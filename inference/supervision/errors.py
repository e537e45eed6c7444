"""What stops `serve` and `cluster`: each message is one line that a person can act on."""

from __future__ import annotations

from pathlib import Path


class SupervisionError(Exception):
    """Base of everything supervision raises on purpose."""


class BindError(SupervisionError):
    """The address is none, is taken, or may not be listened on."""


class StartError(SupervisionError):
    """A process could not be started, ended while starting, or did not answer in time."""


class StopRequestedError(BaseException):
    """Ctrl-C or SIGTERM came; like KeyboardInterrupt, it must not be taken for a failure on its way up."""


def log_tail(path: Path, lines: int = 15, start: int = 0) -> str:
    """The last lines of a log file after its byte `start`, each indented; an empty text when there are none."""
    try:
        text = path.read_bytes()[start:].decode(errors="replace")
    except OSError:
        return ""
    return "".join(f"    {line}\n" for line in text.splitlines()[-lines:])
