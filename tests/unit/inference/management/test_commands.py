"""The management commands that ask a gateway: what they print, and one line and exit status 1 when it fails."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError

from inference.client.http_client import ClientError
from inference.management.table import table
from tests.unit.inference.management.pretended_client import TRACE, URL, PretendedClient, run
from tests.unit.samples import NN_ID, OTHER_NN_ID


def test_predict_prints_the_result_and_what_made_it(asked: type[PretendedClient]) -> None:
    asked.answer = {"status": True, "message": NN_ID, "result": 1.0000178813934326, "version": 3}

    assert run("predict", "0.3", "0.7") == f"1.0000178813934326  (network {NN_ID}, version 3)\n"
    assert asked.sent == [(URL, {"vector": [0.3, 0.7], "nn_id": None, "version": None})]


@pytest.mark.parametrize("given", [["--data", "[[1, 2], [3, 4]]"], ["--data", "-"]], ids=["argument", "stdin"])
def test_predict_takes_rows_a_network_and_a_version(
    given: list[str], asked: type[PretendedClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("[[1, 2],\n [3, 4]]\n"))
    asked.answer = {"status": True, "message": OTHER_NN_ID, "result": {"a": [3.0, True]}, "version": 2}

    printed = run("predict", *given, "--nn-id", OTHER_NN_ID, "--of-version", "2")

    assert printed == f'{{"a": [3.0, true]}}  (network {OTHER_NN_ID}, version 2)\n'
    assert asked.sent == [(URL, {"data": [[1, 2], [3, 4]], "nn_id": OTHER_NN_ID, "version": 2})]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([], "either"),
        (["1", "--data", "[1]"], "either"),
        (["--data", "[1"], "--data is no JSON"),
        (["--data", ""], "no JSON"),
    ],
)
def test_predict_asks_nothing_without_exactly_one_kind_of_rows(
    given: list[str], line: str, asked: type[PretendedClient]
) -> None:
    with pytest.raises(CommandError, match=line):
        run("predict", *given)
    assert asked.sent == []


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ({"status": False, "message": TRACE, "result": 0.0}, "^RowsError: three numbers$"),
        ({"status": False, "message": "No weights loaded", "result": 0.0}, "^No weights loaded$"),
        (ClientError("no gateway answers"), "^no gateway answers$"),
    ],
    ids=["failed", "no network", "no gateway"],
)
def test_predict_tells_in_one_line_why_it_failed(answer: Any, line: str, asked: type[PretendedClient]) -> None:
    asked.answer = answer

    with pytest.raises(CommandError, match=line):
        run("predict", "1")


STATUS = {
    "status": True, "queue_requests_current": 3, "queue_requests_max": 256, "req_handling_time_avg_ms": 2.5,
    "workers_count": 2, "workers_silent": 1,
    "workers": [{
        "worker": "w1", "nn_id": NN_ID, "version": 1, "count_requests_handled": 7, "req_handling_time_avg_ms": 0.7,
        "inference_time_avg_ms": 0.5, "address": ["192.0.2.7", "2001:db8::7"],
    }],
}  # fmt: skip


def test_status_is_a_readable_table(asked: type[PretendedClient]) -> None:
    asked.answer = STATUS

    printed = run("status")

    assert "requests waiting  3 of 256\n" in printed
    assert "workers           2 (1 did not answer)\n" in printed
    assert printed.splitlines()[-1].split() == ["w1", NN_ID, "1", "7", "0.70", "0.50", "192.0.2.7,", "2001:db8::7"]


def test_status_without_workers_says_how_to_start_one(asked: type[PretendedClient]) -> None:
    asked.answer = {**STATUS, "workers": [], "workers_count": 0, "workers_silent": 0}

    assert "celery -A workers worker" in run("status")


def test_status_says_how_many_timings_are_missing(asked: type[PretendedClient]) -> None:
    asked.answer = {**STATUS, "timings_dropped": 12}

    assert "timings dropped   12: the database did not take them" in run("status")


def test_status_is_json_for_machines(asked: type[PretendedClient]) -> None:
    asked.answer = STATUS

    assert json.loads(run("status", "--json")) == STATUS


def test_a_tables_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table(["A", "LONG"], [["wide", 1], ["x", ""]]) == "A     LONG\nwide  1\nx"


def test_the_token_is_that_of_the_environment(asked: type[PretendedClient], monkeypatch: pytest.MonkeyPatch) -> None:
    asked.answer = {"status": True, "message": "n", "result": 1.0, "version": 1}
    monkeypatch.setattr(PretendedClient, "tokens", [])
    monkeypatch.setenv("PIPELINE_TOKEN", "a key")
    run("predict", "0.3", "0.7")

    assert asked.tokens == ["a key"]
