"""The secret that signs sessions, made once for a data directory when the environment gives none."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic, sleep

from django.core.management.utils import get_random_secret_key

#: How long a process waits for another one's key, which is written at once after its file is made.
WRITTEN_SECONDS = 5.0
LOOK_SECONDS = 0.01


def kept_secret_key(data_dir: Path) -> str:
    """The key in `data_dir`/secret_key, made when there is none, readable by its owner only.

    Raises:
        OSError: the data directory cannot be written, or the file stays empty.
    """
    file = data_dir / "secret_key"
    if not file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        _make(file)
    until = monotonic() + WRITTEN_SECONDS
    while not (key := file.read_text("ascii")):
        if monotonic() >= until:
            raise OSError(f"{file} is empty: remove it, and another one is made")
        sleep(LOOK_SECONDS)
    return key


def _make(file: Path) -> None:
    """Several processes may start at once: one of them makes it. Not by a link, which some file systems have not."""
    try:
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(made, "w") as opened:
        opened.write(get_random_secret_key())
