"""A value that many ask for is made by one of them, when it is old."""

from __future__ import annotations

import threading

import pytest

from inference.dashboard.cache import Cached


class Made:
    """Counts how often it is made; time passes as it is told to."""

    def __init__(self, cost_seconds: float = 0.0) -> None:
        self.now = 100.0
        self.count = 0
        self.cost_seconds = cost_seconds
        self.cached = Cached(self.make, 2.0, lambda: self.now)

    def make(self) -> int:
        self.now += self.cost_seconds
        self.count += 1
        return self.count


@pytest.fixture(autouse=True)
def keeps(nothing_kept: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cached, "enabled", True)


def test_a_value_is_made_again_when_it_is_old() -> None:
    made = Made()

    first, soon = made.cached.value(), made.cached.value()
    made.now += 2.0

    assert (first, soon, made.cached.value()) == (1, 1, 2)


def test_what_is_costly_is_kept_longer() -> None:
    made = Made(cost_seconds=1.0)
    made.cached.value()
    made.now += 9.9

    assert made.cached.value() == 1
    made.now += 0.2
    assert made.cached.value() == 2


def test_while_one_makes_it_again_the_others_get_the_one_before() -> None:
    begun, go_on = threading.Event(), threading.Event()
    made = Made()
    made.cached.value()
    made.now += 3.0

    def make_slowly() -> int:
        begun.set()
        assert go_on.wait(10)
        return 99

    made.cached._make = make_slowly
    one = threading.Thread(target=made.cached.value)
    one.start()
    assert begun.wait(10)
    meanwhile = made.cached.value()
    go_on.set()
    one.join(10)

    assert (meanwhile, made.cached.value()) == (1, 99)


def test_what_cannot_be_made_is_tried_again() -> None:
    made = Made()

    def fail() -> int:
        raise ValueError

    made.cached._make = fail
    with pytest.raises(ValueError):
        made.cached.value()
    made.cached._make = made.make

    assert made.cached.value() == 1
