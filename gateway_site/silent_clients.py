"""The clients that are waited for: so many, and no more."""

from __future__ import annotations

import threading
from typing import Protocol


class ClientTimeoutError(BaseException):
    """The client sent nothing, or little, for too long; no application code may take it for a failure of its own."""


class Client(Protocol):
    """A connection of a client."""

    def cut_off(self) -> None:
        """Wake whoever waits for this client, for nothing."""


class SilentClients:
    """The clients that are waited for, the longest silent first; one more than `limit` cuts that one off."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waited_for: dict[Client, None] = {}
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many clients are waited for now."""
        return len(self._waited_for)

    def add(self, client: Client) -> None:
        """Count the client as silent from now on."""
        with self._lock:
            if len(self._waited_for) >= self.limit and client not in self._waited_for:
                self._cut_off_longest()
            self._waited_for.setdefault(client)

    def remove(self, client: Client) -> None:
        """The client is silent no more."""
        if client in self._waited_for:  # most never were, and need no lock
            with self._lock:
                self._waited_for.pop(client, None)

    def cut_off(self, most: int) -> int:
        """Cut off the longest silent clients, at most so many; returns how many."""
        with self._lock:
            count = min(most, len(self._waited_for))
            for _ in range(count):
                self._cut_off_longest()
            return count

    def _cut_off_longest(self) -> None:
        longest = next(iter(self._waited_for))
        del self._waited_for[longest]
        longest.cut_off()
