"""How often each of many may do something."""

from __future__ import annotations

import pytest

from inference.access.buckets import Buckets, Rate


class Clock:
    """A clock that is moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("text", "rate"), [("1000/s", Rate(1000, 1)), ("60/m", Rate(60, 60)), ("10/h", Rate(10, 3600)), ("", None)]
)
def test_a_rate_is_read(text: str, rate: Rate | None) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("text", ["10", "/s", "0/s", "-1/s", "1.5/s", "10/d", "ten/s", "10/s/s", "٣/s", "1000000000/s"])
def test_whatever_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        Rate.parse(text)


def test_as_many_as_the_rate_at_once_and_then_one_by_one(clock: Clock) -> None:
    buckets = Buckets(Rate(3, 60.0), clock)

    assert [buckets.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]
    clock.now += 19.0
    assert buckets.take("a") == pytest.approx(1.0)
    clock.now += 1.0
    assert [buckets.take("a") for _ in range(2)] == [0.0, pytest.approx(20.0)]
    clock.now += 10_000.0
    assert [buckets.take("a") > 0 for _ in range(4)] == [False, False, False, True]


def test_each_has_a_bucket_of_its_own(clock: Clock) -> None:
    buckets = Buckets(Rate(1, 1.0), clock)

    assert [buckets.take("a"), buckets.take("b"), buckets.take("a")] == [0.0, 0.0, 1.0]


def test_what_is_given_back_can_be_taken_again(clock: Clock) -> None:
    buckets = Buckets(Rate(1, 1.0), clock)
    buckets.take("a")
    buckets.give_back("a")
    buckets.give_back("a")
    buckets.give_back("never seen")

    assert [buckets.take("a"), buckets.take("a")] == [0.0, 1.0]


def test_only_those_that_asked_last_are_remembered(clock: Clock) -> None:
    buckets = Buckets(Rate(1, 3600.0), clock, keys_max=100)
    for number in range(10_000):
        buckets.take(str(number))
        buckets.take("often")

    assert buckets.keys_count == 100
    assert buckets.take("often") > 0
