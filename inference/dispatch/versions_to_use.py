"""Which version a batch is made with: what the database says, or while it does not answer, what it said last.

What it said last must not be older than what somebody was told is active. So whoever commits a switch tells every
gateway process before it answers, which forgets what it knows of that network until it has read the database again; one
that lost the broker may have missed that, and forgets all.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection

from inference.dispatch.news import Deleted, Switched
from inference.errors import DatabaseAwayError, InferenceError
from workers.messages.protocol import VersionRef, is_nn_id

logger = logging.getLogger(__name__)

#: How long the sender waits for the database, and how long it takes at least to see that it is away.
ANSWER_SECONDS = 1.0
#: A connection that failed sooner than that was dead, and is opened anew at once.
AT_ONCE_SECONDS = 0.25
#: How often a database that is away is tried again.
TRY_AGAIN_SECONDS = 0.5

#: A network's id or name (None: the default one), and a version's number or label (None: the active one).
Question = tuple[str | None, int | str | None]
Read = Callable[[str | None, int | str | None], VersionRef]


class VersionsToUse:
    """This process's knowledge, by what was asked."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[Question, VersionRef] = {}
        #: Counts what came between a read's begin and its end: what was read may be old by then.
        self._news = 0
        self._lock = threading.Lock()
        self._away = threading.Event()
        self._stopping = threading.Event()
        self._prepared = False

    @property
    def database_away(self) -> bool:
        """Whether the database has not answered when it was asked last."""
        return self._away.is_set()

    def stop(self) -> None:
        """End the thread that tries the database."""
        self._stopping.set()

    def version_to_use(self, network: str | None, which: int | str | None) -> VersionRef:
        """As `selectors.version_to_use`, in bounded time; for the sender's thread alone.

        Raises:
            DatabaseAwayError: the database does not answer, and has not said before.
            InferenceError: what the database's answer means.
        """
        question = network, which
        if not self._away.is_set():
            news = self._news
            try:
                version = self._read_in_time(question)
            except InferenceError:
                self._note(question, None, news)
                raise
            except DatabaseError as error:
                self._lose(error)
            else:
                self._note(question, version, news)
                return version
        known = self._known.get(question)
        if known is None:
            raise DatabaseAwayError("the database does not answer; try again")
        return known

    def known(self, network: str | None, which: int | str | None) -> VersionRef | None:
        """What the database has said last of this, if nothing has been heard since. From any thread."""
        return self._known.get((network, which))

    def forget(self) -> None:
        """This process may have missed news: what it knows may be old."""
        with self._lock:
            self._news += 1
            self._known.clear()

    def hear_of_switch(self, data: Any) -> None:
        """News: another version of a network is active, or labelled, and the network may be the default one by now."""
        news = Switched.from_json(data)
        with self._lock:
            self._news += 1
            # A name, and no name, may be another network's by now.
            self._drop(news.nn_id, lambda network, which: not (is_nn_id(network) and isinstance(which, int)))

    def hear_of_deletion(self, data: Any) -> None:
        """News: a version is deleted."""
        news = Deleted.from_json(data)
        with self._lock:
            self._news += 1
            self._drop(news.nn_id, lambda _, which: isinstance(which, str) or which == news.number)

    def _drop(self, nn_id: str, is_old: Callable[[str | None, int | str | None], bool]) -> None:
        """Forget what is old of a network, however it was asked for: which one a name stands for, nobody says here."""
        for network, which in list(self._known):
            if (network == nn_id or network is None or not is_nn_id(network)) and is_old(network, which):
                del self._known[network, which]

    def _note(self, question: Question, version: VersionRef | None, news: int) -> None:
        with self._lock:
            if version is None:
                self._known.pop(question, None)
            elif news == self._news:
                self._known[question] = version

    def _read_in_time(self, question: Question) -> VersionRef:
        if not self._prepared:
            bound_this_thread()
            self._prepared = True
        began = monotonic()
        try:
            return self._read(*question)
        except DatabaseError:
            connection.close()
            if monotonic() - began > AT_ONCE_SECONDS:
                raise
            return self._read(*question)

    def _lose(self, error: DatabaseError) -> None:
        logger.warning("The database does not answer (%s); predictions go on with the versions known last.", error)
        self._away.set()
        threading.Thread(target=self._try_again, name="database", daemon=True).start()

    def _try_again(self) -> None:
        bound_this_thread()
        try:
            while not self._stopping.wait(TRY_AGAIN_SECONDS):
                try:
                    self._read(None, None)
                except InferenceError:
                    return  # it has answered, that there is none
                except DatabaseError:
                    connection.close()
                else:
                    return
        finally:
            connection.close()
            self._away.clear()
            logger.info("The database answers again.")


def bound_this_thread() -> None:
    """Have this thread's connection to the database wait no longer than a batch may."""
    connection.close()
    connection.answer_seconds = ANSWER_SECONDS  # type: ignore[attr-defined]  # of our own backends
