"""What is refused is counted and said, and no more of it than a log holds."""

from __future__ import annotations

import logging

import pytest

from workers.log_limit import LimitedLines
from workers.messages import refusals as refusals_module
from workers.messages.refusals import Refusals, RefusedError, SignatureError

PLACE = {"exchange": "", "routing_key": "predict", "consumer_tag": "1"}


@pytest.fixture(autouse=True)
def _no_lines_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests' refusals, in the same second, leave none of its lines to this one."""
    monkeypatch.setattr(refusals_module.logger, "filters", [LimitedLines()])


def test_a_refusal_is_counted_and_says_where_and_why(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()

    refusals.add(RefusedError("it is too large"), PLACE)
    refusals.add(ValueError("no JSON"))

    assert refusals.count == 2
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        "Refused a message to 'predict': it is too large",
        "Refused a message: ValueError: no JSON",
    ]


def test_a_line_has_an_end_and_commands_no_terminal(caplog: pytest.LogCaptureFixture) -> None:
    Refusals().add(ValueError("x" * 100_000), {"exchange": "\x1b[2J" * 1000, "routing_key": "\n"})

    line = caplog.records[0].getMessage()
    assert len(line) < 2500
    assert "\x1b" not in line
    assert "\n" not in line


def test_a_flood_has_few_lines_and_every_one_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    with caplog.at_level(logging.WARNING):
        for _ in range(10_000):
            refusals.add(RefusedError("again"))

    assert refusals.count == 10_000
    assert len(caplog.records) < 200


def test_only_a_signature_that_did_not_fit_just_now_is_a_hint() -> None:
    refusals = Refusals()
    refusals.add(RefusedError("it is too large"))
    assert refusals.hint(60) == ""

    refusals.add(SignatureError("its signature does not fit"))

    assert "PIPELINE_MESSAGE_KEY: give every gateway and worker the same" in refusals.hint(60)
    assert refusals.hint(0) == ""
