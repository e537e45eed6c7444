"""The secret that signs sessions, made once for a data directory when the environment gives none."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def kept_secret_key(data_dir: Path) -> str:
    """The key in `data_dir`/secret_key, made when there is none, readable by its owner only.

    Raises:
        OSError: the data directory cannot be written.
    """
    file = data_dir / "secret_key"
    if file.exists():
        return file.read_text("ascii")
    data_dir.mkdir(parents=True, exist_ok=True)
    # Several processes may start at once: each writes a file of its own, and the first link wins.
    draft = data_dir / f".secret_key.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(get_random_secret_key())
    try:
        file.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text("ascii")
