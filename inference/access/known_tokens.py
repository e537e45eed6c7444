"""The living tokens as a gateway process knows them: in memory, read again twice a second, beside all requests.

A request looks into a dict and never at the database, whether its token is good or made up. So a token that is revoked
is refused within a second, by each process, and one that is new is taken within a second. While the database is away
the process goes on with what it knew, for so long.
"""

from __future__ import annotations

import hmac
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Q

from inference.access.keys import KEY_CHARACTERS_MAX, START_TOKEN, digest_of
from inference.access.known_token import KnownToken
from inference.access.requirement import tokens_required
from inference.access.rights import RIGHTS, split_rights
from inference.databases.live_connection import on_live_connection
from inference.errors import TokensUnknownError
from inference.models import AccessToken
from inference.service_thread import ServiceThread

logger = logging.getLogger(__name__)

READ_SECONDS = 0.5
#: How long a process goes on with what it last read: a token that is revoked meanwhile is taken for so long at most.
KEPT_SECONDS = 300.0
#: How long a process waits for its first reading before it takes requests, which it would have to refuse.
FIRST_READING_SECONDS = 5.0
#: A token's last use is written so often at most.
WRITTEN_SECONDS = 60.0


class KnownTokens:
    """Owns the thread that reads them."""

    def __init__(
        self, read: Callable[[], Iterable[KnownToken]] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read or read_living_tokens
        self._clock = clock
        self._own = own_tokens()
        self._known = dict(self._own)
        self._read_at: float | None = None
        self._has_read = threading.Event()
        self._failing = False
        self._used_at: dict[int, float] = {}
        self._written_at: dict[int, float] = {}
        self._thread = ServiceThread("tokens", self._take_turn)

    def start(self) -> None:
        """Know the tokens, when any are required, and go on reading them."""
        if tokens_required():
            self._thread.start()
            self._has_read.wait(FIRST_READING_SECONDS)

    def stop(self) -> None:
        """Stop reading."""
        self._thread.stop()

    def find(self, key: str) -> KnownToken | None:
        """The living token with that key, whose use is noted; None when there is none.

        Raises:
            TokensUnknownError: the database is away for too long to say so.
        """
        digest = digest_of(key) if len(key) <= KEY_CHARACTERS_MAX else ""
        token = self._known.get(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            self._require_knowledge()
            return None
        if token.id is not None:
            self._require_knowledge()
            self._used_at[token.id] = time.time()
        return token

    def refresh(self) -> None:
        """Read the living tokens.

        Raises:
            django.db.Error: the database does not answer; those that were known still are.
        """
        began = self._clock()
        self._known = self._own | {token.digest: token for token in self._read()}
        self._read_at = began
        self._has_read.set()

    def write_uses(self) -> None:
        """Write when tokens were last used: of each so often at most, all at once."""
        now = time.time()
        due = [(id_, at) for id_, at in list(self._used_at.items()) if self._is_due(id_, at, now)]
        if not due:
            return
        try:
            on_live_connection(lambda: _write(due))
        except DatabaseError as error:
            logger.warning("The last uses of tokens (%d) are kept until the database takes them: %s", len(due), error)
            return
        self._written_at.update(due)

    def _is_due(self, id_: int, at: float, now: float) -> bool:
        written = self._written_at.get(id_)
        return written is None or (at > written and now - written >= WRITTEN_SECONDS)

    def _require_knowledge(self) -> None:
        if self._read_at is None:
            raise TokensUnknownError("the tokens could not be read from the database yet: try again")
        if self._clock() - self._read_at > KEPT_SECONDS:
            raise TokensUnknownError(
                f"the tokens could not be read from the database for {KEPT_SECONDS:g} s, and those known before are "
                "not trusted any more: try again when it is back"
            )

    def _take_turn(self) -> None:
        try:
            self.refresh()
        except DatabaseError as error:
            if not self._failing:
                logger.warning("The tokens cannot be read: going on with those that are known. %s", error)
            self._failing = True
        else:
            if self._failing:
                logger.info("The tokens can be read again.")
            self._failing = False
        self._thread.stopping.wait(READ_SECONDS)


def read_living_tokens() -> list[KnownToken]:
    """Every token that is not revoked.

    Raises:
        django.db.Error: the database does not answer.
    """
    rows = AccessToken.objects.filter(revoked_at__isnull=True).values_list("id", "name", "digest", "rights")
    found = on_live_connection(lambda: list(rows.order_by("id")))
    return [KnownToken(id_, name, digest, _rights_of(name, rights)) for id_, name, digest, rights in found]


@lru_cache(maxsize=1000)  # read twice a second, and logged once
def _rights_of(name: str, text: str) -> frozenset[str]:
    """Those that there are: a later release than this one may have written others, whose token must not stop us."""
    named = split_rights(text)
    if unknown := sorted(named - RIGHTS.keys()):
        logger.warning("The token %r has rights that this release does not know: %s.", name, ", ".join(unknown))
    return named & RIGHTS.keys()


def own_tokens() -> dict[str, KnownToken]:
    """The token of whoever has started this gateway, if that is a program of ours: it may do everything."""
    digest = os.environ.get(START_TOKEN, "")
    return {digest: KnownToken(None, "scripts/serve", digest, frozenset(RIGHTS))} if len(digest) == 64 else {}


def _write(uses: list[tuple[int, float]]) -> None:
    with transaction.atomic():
        for id_, at in uses:
            used_at = datetime.fromtimestamp(at, UTC)
            before = Q(last_used_at__isnull=True) | Q(last_used_at__lt=used_at)
            AccessToken.objects.filter(before, id=id_).update(last_used_at=used_at)
