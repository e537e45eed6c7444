"""Things that are made once, by whoever asks first, while the others wait; who holds one keeps it, dropped or not."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """Things of known size by their keys, in the order of their last use."""

    def __init__(self, size_of: Callable[[T], int]) -> None:
        self._size_of = size_of
        self._lock = threading.Lock()
        self._items: OrderedDict[str, Future[T]] = OrderedDict()

    def get(self, key: str, make: Callable[[], T]) -> T:
        """The thing, made by `make` when it is not there; what `make` raises, all hear who wait for it."""
        with self._lock:
            future = self._items.get(key)
            mine = future is None
            if future is None:
                future = self._items[key] = Future()
            self._items.move_to_end(key)
        if mine:
            self._make(key, future, make)
        return future.result()

    def has(self, key: str) -> bool:
        """Whether the thing has been made and is there."""
        future = self._items.get(key)
        return future is not None and _is_made(future)

    def names(self) -> list[str]:
        """The keys of what is there or being made, the last used one last."""
        with self._lock:
            return list(self._items)

    def used_bytes(self) -> int:
        """The size of all that is there."""
        with self._lock:
            return sum(self._size_of(future.result()) for future in self._items.values() if _is_made(future))

    def sizes(self) -> dict[str, int]:
        """The size of each thing that is there, by its key, the last used one last."""
        with self._lock:
            return {key: self._size_of(future.result()) for key, future in self._items.items() if _is_made(future)}

    def drop(self, key: str) -> None:
        """Drop what is there under this key."""
        with self._lock:
            future = self._items.get(key)
            if future is not None and _is_made(future):
                del self._items[key]

    def drop_oldest(self, but: str) -> bool:
        """Drop what was not used for longest, but not the thing that `but` names; whether there was one."""
        with self._lock:
            oldest = next((key for key, future in self._items.items() if key != but and _is_made(future)), None)
            if oldest is not None:
                del self._items[oldest]
        return oldest is not None

    def keep_only(self, keys: set[str]) -> bool:
        """Drop what is there under another key; whether there was any."""
        with self._lock:
            dropped = [key for key, future in self._items.items() if key not in keys and _is_made(future)]
            for key in dropped:
                del self._items[key]
        return bool(dropped)

    def _make(self, key: str, future: Future[T], make: Callable[[], T]) -> None:
        try:
            future.set_result(make())
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            with self._lock:
                self._items.pop(key, None)
            future.set_exception(error)


def _is_made(future: Future[T]) -> bool:
    return future.done() and future.exception() is None
