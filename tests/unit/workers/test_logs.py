"""How lines of the log are written, and how many."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from tests.unit.samples import NN_ID, VERSION
from workers import log_limit
from workers.log_limit import LimitedLines
from workers.logs import TEXT, JsonFormatter, TextFormatter, about
from workers.messages.request_id import REQUEST_ID, handling


def record(message: str = "it is %s", *arguments: object, **extra: Any) -> logging.LogRecord:
    arguments = arguments or ("here",)
    return logging.getLogger("a.test").makeRecord(
        "a.test", logging.WARNING, "file", 1, message, arguments, None, extra=extra
    )


def written(record: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(record)
    assert "\n" not in line
    return dict(json.loads(line))


def test_a_line_of_json_has_its_time_level_logger_and_message() -> None:
    line = written(record())

    assert (line["level"], line["logger"], line["message"]) == ("WARNING", "a.test", "it is here")
    assert line["time"].endswith("+00:00")
    assert "request_id" not in line


def test_a_line_about_a_request_has_its_id() -> None:
    with handling("a-request"):
        assert written(record())["request_id"] == "a-request"
        assert TextFormatter(TEXT).format(record()).endswith("WARNING a.test: it is here [request a-request]")
    assert REQUEST_ID.get() == ""


def test_a_line_about_a_batch_has_its_requests_ids() -> None:
    batch = record(request_ids=["one", "two"])

    assert written(batch)["request_ids"] == ["one", "two"]
    assert TextFormatter(TEXT).format(batch).endswith("[request one, two]")


def test_a_line_about_a_version_names_it() -> None:
    line = written(record(**about(VERSION)))

    assert (line["nn_id"], line["version"]) == (NN_ID, 1)


def test_a_trace_is_a_field_of_its_line() -> None:
    failed = record()
    try:
        int("a reason")
    except ValueError:
        failed.exc_info = sys.exc_info()

    assert written(failed)["trace"].endswith("'a reason'")
    with handling("a-request"):
        assert "it is here [request a-request]\n    Traceback" in TextFormatter(TEXT).format(failed)


def test_what_json_has_no_room_for_is_written_as_its_escape() -> None:
    assert written(record("%s", "\ud800 \n é"))["message"] == "\ud800 \n é"


def test_some_lines_a_second_are_let_through_and_the_next_one_counts_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(log_limit, "monotonic", lambda: now)
    limited = LimitedLines(2)
    assert [limited.filter(record()) for _ in range(5)] == [True, True, False, False, False]

    now = 101.0
    later, last = record(), record()

    assert limited.filter(later)
    assert later.getMessage() == "it is here (3 lines like this were left out before)"
    assert limited.filter(last)
    assert last.getMessage() == "it is here"


@pytest.mark.parametrize(
    "sent", ["a\n2026-11-24 12:00:00,000 ERROR root: forged", "a\r\n", "\x1b[2J\x1b]0;owned\x07", "a\0b", "\ud800"]
)
def test_what_a_stranger_sent_looks_like_no_line_of_ours_and_commands_no_terminal(sent: str) -> None:
    line = TextFormatter(TEXT).format(record("%s", sent))

    first, *more = line.split("\n")
    assert all(each.startswith("    ") for each in more)
    assert all(each.isprintable() for each in (first, *more))
    line.encode()
