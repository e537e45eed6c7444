"""What a caller is told of a stack trace: where tokens are required, all of it only with the right `traces`."""

from __future__ import annotations

from inference.access.asks import Asks
from inference.access.rights import TRACES
from inference.http.permission import may_see_traces


def told_of(trace: str, request: Asks) -> str:
    """The trace, or its last line, which is the reason."""
    if may_see_traces(request):
        return trace
    reason = trace.strip().rpartition("\n")[2]
    return f"{reason} (the stack trace is for tokens with the right {TRACES!r})"
