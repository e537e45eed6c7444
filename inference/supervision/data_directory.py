"""The folder a Pipeline keeps its files in: database, uploads, logs, a private broker's data."""

from __future__ import annotations

import tempfile
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
