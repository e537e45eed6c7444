"""What Python imports first in a gateway that is fuzzed: told by a signal, it writes how many greenlets it has.

The signal's number is in FUZZ_SIGNAL, and the folder to write to in FUZZ_FOLDER; the file's name is the process's id.
"""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path


def write_count(*_: object) -> None:
    """Write the number of greenlets that are not dead."""
    from greenlet import greenlet

    count = sum(isinstance(each, greenlet) and not each.dead for each in gc.get_objects())
    folder = Path(os.environ["FUZZ_FOLDER"])
    draft = folder / f".{os.getpid()}"
    draft.write_text(str(count))
    draft.rename(folder / str(os.getpid()))


signal.signal(int(os.environ["FUZZ_SIGNAL"]), write_count)
