"""When this process ends: what listens beside its HTTP server ends at the same time, and not when that has ended."""

from __future__ import annotations

import asyncio


class Ending:
    """The end of one process."""

    def __init__(self) -> None:
        #: It takes no more requests.
        self.begins = asyncio.Event()
        #: It waits for nobody.
        self.at_once = asyncio.Event()


#: This process's own: a fork has its copy.
ENDING = Ending()
