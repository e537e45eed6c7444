"""The folder of a file that is being loaded: gone when the load ends or, if the worker is killed, at the next start.

Its maker holds a lock on it, which the kernel lets go of however the process ends, so a folder whose lock is free is
nobody's. A lock counts on one host: hosts must not share a TMPDIR.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

PREFIX = "pipeline-load-"


@contextmanager
def load_folder() -> Iterator[Path]:
    """A new folder in TMPDIR, locked until it is removed, when the block ends."""
    # It is locked before it gets the name that others look for: nobody takes it for one that was left.
    folder = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = folder.rename(folder.with_name(folder.name.removeprefix(".")))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_abandoned_folders() -> None:
    """Remove what loads of this user's killed workers left in TMPDIR; those of living ones stay."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # it has gone meanwhile, or is none of ours
        try:
            if os.fstat(lock).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                logger.info("Removed %s, which a worker left that was killed.", folder)
        except BlockingIOError:
            continue  # its load goes on
        finally:
            os.close(lock)
