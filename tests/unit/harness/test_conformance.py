"""A difference from Triton is known by its call, its statuses and what only one of the two says; by nothing less."""

from __future__ import annotations

import re

import pytest

from tests.conformance.answers import Answer
from tests.conformance.calls import calls
from tests.conformance.differences import MEANT, Meant, table
from workers.settings import ROOT


def answer(status: int, *says: str) -> Answer:
    return Answer(status, frozenset(says))


@pytest.mark.parametrize(
    ("call", "triton", "pipeline", "covered"),
    [
        ("load: x", answer(200, "a: int", "more.b: str"), answer(200, "a: int"), True),
        ("unload: x", answer(200, "a: int", "more.b: str"), answer(200, "a: int"), False),
        ("load: x", answer(200, "a: int", "other"), answer(200, "a: int"), False),
        ("load: x", answer(200, "a: int"), answer(200, "a: int", "more.b: str"), False),
        ("load: x", answer(200, "more"), answer(400), False),
        ("load: x", answer(500), answer(400, "error: str"), False),
    ],
)
def test_what_only_one_says_is_meant_where_it_is_named(
    call: str, triton: Answer, pipeline: Answer, covered: bool
) -> None:
    assert Meant("loading", "load: .*", "a reason", only_triton=("more",)).covers(call, triton, pipeline) is covered


def test_other_statuses_are_meant_where_both_are_named() -> None:
    meant = Meant("loading", "load: .*", "a reason", (500, 400))
    assert meant.covers("load: x", answer(500, "a"), answer(400, "b"))
    assert not meant.covers("load: x", answer(400, "a"), answer(400, "b"))
    assert not meant.covers("load: x", answer(500), answer(404))


def test_every_call_has_a_name_of_its_own_and_every_difference_a_call() -> None:
    names = [call.name for call in calls()]
    assert len(set(names)) == len(names)
    for meant in MEANT:
        assert any(re.fullmatch(meant.calls, name) for name in names), meant.calls


def test_the_page_about_protocols_has_the_table() -> None:
    assert table() in (ROOT / "docs" / "protocols.md").read_text()
