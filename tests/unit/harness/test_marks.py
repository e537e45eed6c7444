"""The marks of a request's way: each names something that is there, and every step lies between two of them."""

from __future__ import annotations

import asyncio
import inspect
from importlib import import_module
from operator import attrgetter

import pytest

from tests.benchmarks import breakdown, marks

MARKED = (*marks.GATEWAY, *marks.WORKER)


@pytest.mark.parametrize(("name", "module", "function"), MARKED)
def test_what_is_marked_is_there(name: str, module: str, function: str) -> None:
    assert callable(attrgetter(function)(import_module(module)))


def test_every_step_lies_between_two_marks_that_are_made() -> None:
    made = {f"{name} {when}" for name, _, _ in MARKED for when in ("begins", "ends")} | {
        "request sent",
        "answer received",
    }

    assert {name for first, last, _ in breakdown.STEPS for name in (first, last)} <= made
    assert [last for _, last, _ in breakdown.STEPS[:-1]] == [first for first, _, _ in breakdown.STEPS[1:]]


def test_an_async_function_stays_one_and_ends_when_it_was_waited_for() -> None:
    seen: list[str] = []

    async def wait() -> int:
        seen.append("waits")
        await asyncio.sleep(0)
        return 7

    already = len(marks.noted)
    marked = marks.noting("waiting", wait)

    assert inspect.iscoroutinefunction(marked)
    coroutine = marked()
    assert marks.noted[already:] == []
    assert asyncio.run(coroutine) == 7
    assert [name for _, name in marks.noted[already:]] == ["waiting begins", "waiting ends"]


def test_a_plain_function_that_fails_has_ended_too() -> None:
    already = len(marks.noted)

    with pytest.raises(ZeroDivisionError):
        marks.noting("dividing", lambda number: 1 / number)(0)

    assert [name for _, name in marks.noted[already:]] == ["dividing begins", "dividing ends"]
