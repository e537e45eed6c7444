"""The judge of the HTTP fuzz sees what is wrong with an answer, and a seed's case is always the same."""

from __future__ import annotations

import pytest

from tests.fuzz.http.bodies import rows_of
from tests.fuzz.http.case import ANY_ROWS, SMUGGLED, Asked, Case, Ending, Rows
from tests.fuzz.http.cases import KINDS, case_of
from tests.fuzz.http.judge import faults

REFUSED = Asked("one", statuses=frozenset({400}))
PREDICTED = Asked("one", Rows([[0.3, 0.7]]))
ERROR = b'{"status":false,"message":"no"}'
#: The first sample network's own answer.
RIGHT = b'{"status":true,"message":"n","result":0.9989,"version":1}'


def answer(status: int, body: bytes, request_id: str = "one", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Some", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"X-Request-ID: {request_id}", *headers, "", ""]).encode() + body


def case(*asked: Asked, most: int = 1) -> Case:
    return Case("a kind", (b"",), asked, 1, most, Ending.ENDS)


def test_a_seeds_case_is_always_the_same() -> None:
    assert [case_of(seed) for seed in range(300)] == [case_of(seed) for seed in range(300)]
    assert {case_of(seed).kind for seed in range(500)} == set(KINDS)


def test_what_is_right_has_no_fault() -> None:
    assert list(faults(case(REFUSED), answer(400, ERROR))) == []
    assert list(faults(case(PREDICTED), answer(503, ERROR))) == []


@pytest.mark.parametrize(
    ("received", "says"),
    [
        (b"", "0 answers"),
        (b"no HTTP", "no head"),
        (answer(400, ERROR) + b"more", "no head"),
        (answer(400, ERROR)[:-1], "of 31 bytes"),
        (answer(400, b"<html>"), "no JSON"),
        (answer(400, b'{"status":true,"message":"no"}'), "another shape"),
        (answer(400, b'{"status":false,"message":"no","trace":""}'), "another shape"),
        (answer(500, ERROR), "500: "),
        (answer(404, ERROR), "404 instead of"),
        (answer(400, ERROR) * 2, "2 answers"),
        (answer(400, ERROR, "one", "Connection: close") + answer(400, ERROR, "mine"), "after the last one"),
        (answer(400, ERROR, f"{SMUGGLED}-1"), "inside another one's body"),
        (answer(200, RIGHT, "mine"), "nobody asked"),
        (answer(200, RIGHT), "predicted what holds no rows"),
        (answer(400, ERROR, "one", "X-Request-ID: two"), "twice"),
        (answer(400, ERROR).replace(b"Content-Length: 31\r\n", b""), "without a length"),
    ],
)
def test_what_is_wrong_is_seen(received: bytes, says: str) -> None:
    assert any(says in fault for fault in faults(case(REFUSED), received))


def test_a_prediction_must_be_the_networks_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.samples.Sample.answers", lambda _, rows: rows.sum(axis=1))
    wrong, none = RIGHT.replace(b"0.9989", b"0.5"), RIGHT.replace(b"0.9989", b"null")

    assert list(faults(case(PREDICTED), answer(200, RIGHT.replace(b"0.9989", b"1.0000001")))) == []
    for body in (wrong, none, b'{"status":false,"message":"no","result":0.0}'):
        assert list(faults(case(PREDICTED), answer(200, body))), body


def test_answers_come_in_the_order_of_the_requests() -> None:
    both = case(REFUSED, Asked("two", statuses=frozenset({400})), most=2)

    assert list(faults(both, answer(400, ERROR) + answer(400, ERROR, "two"))) == []
    assert list(faults(both, answer(400, ERROR, "two") + answer(400, ERROR)))


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"vector":[1,2.5]}', Rows([[1.0, 2.5]])),
        (b'{"data":[[1,2],[3,4]]}', Rows([[1.0, 2.0], [3.0, 4.0]])),
        (b'{"vector":[1,1e39]}', Rows([[1.0, 1e39]], certain=False)),
        (b'{"vector":[1,2],"version":7}', Rows([[1.0, 2.0]], certain=False)),
        (b'{"vector":{"numbers":[1,2]}}', ANY_ROWS),
        (b'{"vector":[1,2,3]}', None),
        (b'{"vector":[1,true]}', None),
        (b'{"vector":[1,2],"data":[[1,2]]}', None),
        (b'{"data":[]}', None),
        (b'{"vector":[1,2],"nn_id":"x"}', None),
        (b"[1,2]", None),
        (b"{", None),
    ],
)
def test_the_rows_of_a_body_are_known_without_a_gateway(body: bytes, rows: Rows | None) -> None:
    assert rows_of(body) == rows
