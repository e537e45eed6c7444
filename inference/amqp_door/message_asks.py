"""A message, as those see it who decide about requests: the token that its headers name, and no address.

The broker tells nobody where its clients are, so all of those without a good token are counted as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: In place of an address.
BROKER = "the broker"


class MessageAsks:
    """Who asks. No other header is of any concern here, least of all one that names an address."""

    __slots__ = ("META",)

    def __init__(self, headers: Mapping[str, Any]) -> None:
        self.META: dict[str, Any] = {"REMOTE_ADDR": BROKER}
        if isinstance(given := headers.get("authorization"), str):
            self.META["HTTP_AUTHORIZATION"] = given
