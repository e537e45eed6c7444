"""The page of requests: what is found, in what order, and that nothing reads the whole table."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inference.admin import requests as requests_page
from inference.admin import requests_csv
from inference.models import PredictionTiming
from inference.statistics import request_search
from tests.support.admin_page import rows
from tests.unit.admin_samples import ago, text, timing
from tests.unit.samples import OTHER_NN_ID

pytestmark = pytest.mark.django_db
PAGE = "/admin/inference/predictiontiming/"
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def found(viewer: Client, query: str = "") -> list[str]:
    return [row["total"] for row in rows(text(viewer, f"{PAGE}?{query}"))]


def test_an_empty_list_says_how_to_ask_for_a_prediction(viewer: Client) -> None:
    page = text(viewer, PAGE)

    assert "curl -X POST http://testserver/predict" in page


def test_the_latest_come_first(viewer: Client) -> None:
    timing(ago(minutes=1), total_ms=1)
    timing(ago(minutes=3), total_ms=3)
    timing(ago(minutes=2), total_ms=2)

    assert found(viewer) == ["1.00", "2.00", "3.00"]
    assert found(viewer, "sort=slowest") == ["3.00", "2.00", "1.00"]


@pytest.mark.parametrize(
    ("query", "ones"),
    [
        ("nn_id=" + OTHER_NN_ID, ["2.00"]),
        ("nn_id=" + OTHER_NN_ID[:5], ["2.00"]),
        ("version=7", ["3.00"]),
        ("worker=w9", ["4.00"]),
        ("outcome=failed", ["5.00"]),
        ("outcome=not_answered", ["6.00", "5.00"]),
        ("outcome=answered", ["4.00", "3.00", "2.00", "1.00"]),
        ("slower_than=4", ["6.00", "5.00", "4.00"]),
        ("since=2026-11-24T12:05&until=2026-11-24T12:07:00", ["3.00", "2.00"]),
        ("outcome=answered&slower_than=2&sort=slowest&since=2026-11-24", ["4.00", "3.00", "2.00"]),
        ("nn_id=000", ["6.00", "5.00", "4.00", "3.00", "1.00"]),
        ("worker=nobody", []),
    ],
)
def test_requests_are_found(query: str, ones: list[str], viewer: Client) -> None:
    fields: list[dict[str, Any]] = [
        {}, {"nn_id": OTHER_NN_ID}, {"version": 7}, {"worker": "w9"}, {"outcome": "failed", "nn_id": "0000"},
        {"outcome": "refused", "version": None, "worker": "", "nn_id": "0000"},
    ]  # fmt: skip
    for number, each in enumerate(fields, 1):
        timing(NOON.replace(minute=3 + number), total_ms=number, **each)

    assert found(viewer, query) == ones


@pytest.mark.parametrize("query", ["version=x", "since=yesterday", "outcome=odd", "slower_than=-1", "sort=odd"])
def test_what_cannot_be_read_is_said(query: str, viewer: Client) -> None:
    timing()

    assert 'class="pl-error"' in text(viewer, f"{PAGE}?{query}")
    assert viewer.get(f"{PAGE}csv/?{query}").status_code == 400


def test_pages_follow_each_other_without_a_count(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests_page, "REQUESTS_A_PAGE", 2)
    for number in range(5):
        timing(ago(minutes=number), total_ms=number)

    assert found(viewer, "page=2") == ["2.00", "3.00"]
    assert found(viewer, "page=3") == ["4.00"]
    assert 'rel="next" href="?worker=w1&amp;page=2"' in text(viewer, f"{PAGE}?worker=w1")
    assert 'rel="next"' not in text(viewer, f"{PAGE}?page=3")
    assert found(viewer, "page=x") == found(viewer, "page=0") == found(viewer, "page=1")


def test_a_search_looks_through_a_bounded_number(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_search, "LOOKED_THROUGH_MAX", 3)
    for number in range(5):
        timing(ago(minutes=number), total_ms=number)

    assert found(viewer, "worker=w1") == ["0.00", "1.00", "2.00"]
    assert found(viewer, "sort=slowest") == ["2.00", "1.00", "0.00"]
    assert 'id="bounded"' in text(viewer, f"{PAGE}?worker=w1")
    assert len(found(viewer)) == 5


def test_of_those_that_were_not_answered_fewer_are_looked_through(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_search, "NOT_ANSWERED_MAX", 2)
    for number in range(6):
        timing(ago(minutes=number), total_ms=number, outcome="failed" if number % 2 else "answered")

    assert found(viewer, "outcome=failed") == ["1.00", "3.00"]
    assert "Of the latest 2 unanswered requests" in text(viewer, f"{PAGE}?outcome=failed")
    assert len(found(viewer, "outcome=not_answered")) == 3
    assert len(found(viewer, "outcome=answered")) == 3


def test_the_last_page_says_how_to_look_further_back(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests_page, "REQUESTS_A_PAGE", 1)
    monkeypatch.setattr(requests_page, "PAGES_MAX", 2)
    for number in range(4):
        timing(ago(minutes=number), total_ms=number)

    page = text(viewer, f"{PAGE}?page=5")

    assert [row["total"] for row in rows(page)] == ["1.00"]
    assert "choose a time to look further back" in page
    assert 'rel="next"' not in page


@pytest.mark.parametrize(
    "query", ["", "sort=slowest", "worker=w1", "outcome=not_answered", "outcome=failed", "version=3"]
)
def test_no_query_counts_or_reads_the_whole_table(query: str, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_search, "LOOKED_THROUGH_MAX", 1)
    monkeypatch.setattr(request_search, "NOT_ANSWERED_MAX", 1)
    timing()
    timing()
    with CaptureQueriesContext(connection) as captured:
        text(viewer, f"{PAGE}?{query}")

    asked = [one["sql"] for one in captured if "predictiontiming" in one["sql"]]
    assert 1 <= len(asked) <= 2
    assert all("COUNT(" not in sql and "DISTINCT" not in sql and " LIMIT " in sql for sql in asked)
    for sql in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert "INDEX" in plan, plan


def test_failed_requests_are_found_by_their_own_index(viewer: Client) -> None:
    search = request_search.RequestSearch(outcome=request_search.NOT_ANSWERED)

    assert "requests_not_answered" in search.requests().explain()


def test_requests_leave_as_csv(viewer: Client) -> None:
    timing(NOON, total_ms=1.5)
    timing(NOON, worker="=cmd()", outcome="failed", version=None, door="v2")

    response = viewer.get(f"{PAGE}csv/?outcome=failed")
    lines = list(csv.DictReader(b"".join(response).decode().splitlines()))  # type: ignore[call-overload]

    assert response.headers["Content-Type"].startswith("text/csv")
    assert ".csv" in response.headers["Content-Disposition"]
    assert [(line["at"], line["worker"], line["version"], line["door"]) for line in lines] == [
        ("2026-11-24T12:00:00+00:00", "'=cmd()", "", "v2")
    ]


def test_a_csv_file_has_a_bounded_length(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests_csv, "ROWS_MAX", 3)
    monkeypatch.setattr(requests_csv, "ROWS_A_PIECE", 2)
    for _ in range(5):
        timing()

    lines = b"".join(viewer.get(f"{PAGE}csv/")).decode().splitlines()  # type: ignore[call-overload]

    assert len(lines) == 1 + 3
    assert PredictionTiming.objects.count() == 5


def test_it_is_told_what_a_request_came_by(viewer: Client) -> None:
    timing(ago(minutes=1), door="grpc")
    timing(ago(minutes=2))  # of a gateway before there were doors

    assert [row["door"] for row in rows(text(viewer, PAGE))] == ["grpc", "-"]


def test_a_request_of_no_network_is_shown(viewer: Client) -> None:
    timing(nn_id="", version=None, worker="", outcome="refused")

    (row,) = rows(text(viewer, PAGE))
    assert (row["nn_id"], row["version"], row["worker"], row["outcome"]) == ("-", "-", "-", "refused")
