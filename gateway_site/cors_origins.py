"""Which other sites' pages may ask the gateway: their origins, as browsers say them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from environs import EnvError

EVERY = "*"
#: A scheme, a host and perhaps a port: what a browser sends as `Origin`.
_ORIGIN = re.compile(r"https?://[a-z0-9.\-_]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")


def cors_origins(told: Iterable[str]) -> frozenset[str]:
    """The origins in a setting, in lower case; `*` is every one.

    Raises:
        EnvError: one is no origin.
    """
    origins = frozenset(each.strip().lower() for each in told if each.strip())
    for origin in origins - {EVERY}:
        if not _ORIGIN.fullmatch(origin):
            raise EnvError(
                f"PIPELINE_CORS_ORIGINS has {origin!r}: an origin is like https://app.example.com, without a path"
            )
    return origins
