"""The reason in a stack trace: one line, without where in the program its class is."""

from __future__ import annotations

import pytest

from inference.http.traces import reason_of


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        ("Traceback\n  File\nworkers.runtime.errors.RowsError: got (3,)\n", "RowsError: got (3,)"),
        ("ValueError: a.b: c", "ValueError: a.b: c"),
        ("the network answered with 1.5 where it must not", "the network answered with 1.5 where it must not"),
        ("celery.exceptions.Ignore", "Ignore"),
        ("", ""),
    ],
)
def test_the_reason_is_the_last_line_without_its_module(trace: str, reason: str) -> None:
    assert reason_of(trace) == reason
