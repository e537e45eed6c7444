"""The folder a Pipeline keeps its files in: database, uploads, logs, a private broker's data."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference.supervision.errors import StartError

DEFAULT = "var"


def choose(flag: str | None, variable: str | None, root: Path) -> Path:
    """The folder's absolute path.

    A relative path on the command line starts at the caller's current folder; one from PIPELINE_DATA_DIR, and the
    default, start at the repository's root, so that it means the same to every process.
    """
    if flag:
        return Path(flag).expanduser().resolve()
    return (root / Path(variable or DEFAULT).expanduser()).resolve()


def prepare(folder: Path) -> None:
    """Make the folder and its `log` folder, and find out whether both can be written to.

    Raises:
        StartError: they cannot.
    """
    try:
        for place in (folder, folder / "log"):
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                pass
    except OSError as error:
        raise StartError(
            f"cannot write to the data directory {folder}: {error.strerror}; choose another with --data-dir"
        ) from error


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Have the folder, made when there is none, for this process alone: two brokers on one folder would ruin it.

    Raises:
        StartError: another process has it, or it cannot be written.
    """
    prepare(folder)
    try:
        lock = (folder / "lock").open("a+")
    except OSError as error:
        raise StartError(f"cannot write to {folder / 'lock'}: {error.strerror}; choose another --data-dir") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise StartError(
                f"the data directory {folder} is in use by another Pipeline (process {lock.read().strip() or '?'}); "
                "stop that one, or choose another directory with --data-dir"
            ) from error
        except OSError as error:
            raise StartError(f"cannot lock {folder / 'lock'}: {error.strerror}; choose another --data-dir") from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
