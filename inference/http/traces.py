"""What a caller is told of a stack trace: where tokens are required, all of it only with the right `traces`.

Its last line is the reason, which everybody is told.
"""

from __future__ import annotations

import re

from inference.access.asks import Asks
from inference.access.rights import TRACES
from inference.http.permission import may_see_traces

#: Where in the program an error's class is.
_MODULE = re.compile(r"^(?:\w+\.)+(?=\w+(?::|$))")


def told_of(trace: str, request: Asks) -> str:
    """The trace, or its last line, which is the reason."""
    if may_see_traces(request):
        return trace
    return f"{_last_line(trace)} (the stack trace is for tokens with the right {TRACES!r})"


def reason_of(trace: str) -> str:
    """The reason in one line, such as `RowsError: the network takes rows of shape (2,), got (3,)`."""
    return _MODULE.sub("", _last_line(trace))


def _last_line(trace: str) -> str:
    return trace.strip().rpartition("\n")[2]
