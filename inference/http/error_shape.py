"""Which shape an error has: that of the field's protocols at their addresses, and Pipeline's own at all others."""

from __future__ import annotations

import re
from typing import Any

#: Where errors are `{"error": "…"}`.
_PROTOCOLS = re.compile("/v[12](/.*)?", re.DOTALL)


def says_error(path: str) -> bool:
    """Whether an address is one of the field's protocols."""
    return _PROTOCOLS.fullmatch(path) is not None


def error_content(path: str, message: str) -> dict[str, Any]:
    """What is said of an error there."""
    return {"error": message} if says_error(path) else {"status": False, "message": message}
