"""What Python imports first in a gateway that is fuzzed: told by a signal, it writes how many tasks it has.

The signal's number is in FUZZ_SIGNAL, and the folder to write to in FUZZ_FOLDER; the file's name is the process's id.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path


def write_count(*_: object) -> None:
    """Write the number of tasks that are not done; a process that has no loop has none."""
    asyncio = sys.modules.get("asyncio")
    count = sum(isinstance(each, asyncio.Task) and not each.done() for each in gc.get_objects()) if asyncio else 0
    folder = Path(os.environ["FUZZ_FOLDER"])
    draft = folder / f".{os.getpid()}"
    draft.write_text(str(count))
    draft.rename(folder / str(os.getpid()))


signal.signal(int(os.environ["FUZZ_SIGNAL"]), write_count)
