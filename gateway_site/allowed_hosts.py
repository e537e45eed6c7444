"""By which names the gateway is asked: those that it is told, and those that no web page can have for its own.

What is kept out is a name of a stranger's that resolves to the gateway (DNS rebinding). This machine's own names, and
where the gateway is bound, are nobody else's; the commands and scripts on its host ask by them.
"""

from __future__ import annotations

from collections.abc import Iterable

from inference.supervision.addresses import ANY_HOST, Bind
from inference.supervision.errors import BindError

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def allowed_hosts(told: Iterable[str], binds: str) -> list[str]:
    """Django's ALLOWED_HOSTS, from what the environment says and from the addresses that gunicorn binds."""
    bound = [host for bind in binds.split(",") if (host := _host(bind)) not in ANY_HOST]
    return list(dict.fromkeys([*told, *LOOPBACK_NAMES, *bound]))


def _host(bind: str) -> str:
    """As a client writes it; nothing for a Unix socket."""
    try:
        host = Bind.parse(bind).host
    except BindError:
        return ""
    return f"[{host}]" if host not in ANY_HOST and ":" in host else host
