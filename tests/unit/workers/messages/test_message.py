"""What a trace is cut to: its beginning and its end stay, and how much was left out is said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.messages.message import LINE_CHARACTERS_MAX, TRACE_CHARACTERS_MAX, shorten

FRAME = '  File "engine.py", line 1, in load\n'
TRACE = f"Traceback (most recent call last):\n{FRAME}WeightsError: it does not fit\n"


def test_a_trace_of_common_length_stays_as_it_is() -> None:
    assert shorten(TRACE) == TRACE
    assert shorten("x" * LINE_CHARACTERS_MAX) == "x" * LINE_CHARACTERS_MAX


def test_a_long_line_keeps_its_beginning_and_its_end_and_the_trace_its_other_lines() -> None:
    first, frame, reason = shorten(TRACE.replace(": it", f": the tensor {'x' * 9_000_000}")).splitlines()

    assert f"{first}\n{frame}\n" == f"Traceback (most recent call last):\n{FRAME}"
    assert re.fullmatch(r"WeightsError: the tensor x+ … \d+ characters left out … x+ does not fit", reason)
    assert LINE_CHARACTERS_MAX - 10 < len(reason) <= LINE_CHARACTERS_MAX


def test_a_long_trace_keeps_its_beginning_and_its_reason() -> None:
    trace = TRACE.replace(FRAME, FRAME * 100_000)

    short = shorten(trace)

    assert short.startswith(f"Traceback (most recent call last):\n{FRAME}")
    assert short.endswith("WeightsError: it does not fit\n")
    left_out = re.search(r" … (\d+) characters left out … ", short)
    assert left_out is not None
    assert len(short) - len(left_out[0]) + int(left_out[1]) == len(trace)


@given(st.lists(st.tuples(st.sampled_from(["x", "\n", "…", "\ud800"]), st.integers(0, 20_000)), max_size=6))
def test_what_is_short_is_shortened_no_further(parts: list[tuple[str, int]]) -> None:
    short = shorten("".join(text * times for text, times in parts))

    assert len(short) <= TRACE_CHARACTERS_MAX
    assert shorten(short) == short


@pytest.mark.parametrize("characters", [TRACE_CHARACTERS_MAX, TRACE_CHARACTERS_MAX + 1, 10 * TRACE_CHARACTERS_MAX])
def test_lines_without_end_are_cut_too(characters: int) -> None:
    assert len(shorten("\n" * characters)) <= TRACE_CHARACTERS_MAX
