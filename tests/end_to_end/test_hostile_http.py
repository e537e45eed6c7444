"""A short run of tests/fuzz against a gateway: whatever is sent, the answer is right, or an error in JSON."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.http.cases import KINDS, make_case
from tests.fuzz.http.gateway import embedded
from tests.fuzz.http.run import Summary, try_case
from tests.fuzz.http.trial import try_out
from tests.fuzz.schema import ask
from tests.support.system import System

CASES, SEED, CONNECTIONS = 2000, 1, 16
SCHEMA_EXAMPLES = 4
#: hypothesis goes on from what it finds; a name that another case had would take one answer for another's.
numbers = count()


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """The embedded form."""
    with embedded() as system:
        yield system


def test_thousands_of_hostile_requests_are_answered_rightly_and_leave_nothing(system: System) -> None:
    trial = try_out(system, range(SEED, SEED + CASES), CONNECTIONS)

    assert trial.findings == [], str(trial)
    assert set(trial.summary.cases) == set(KINDS)
    assert trial.summary.statuses["predictions", 200] > 100


@settings(
    max_examples=150,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(chance=st.randoms(use_true_random=False))
def test_the_smallest_hostile_request_that_is_answered_wrongly(system: System, chance: random.Random) -> None:
    case = make_case(chance, f"hypothesis-{next(numbers)}")

    assert try_case(system.url, "hypothesis", case, Summary()) == [], case


def test_schemathesis_finds_no_answer_that_is_not_documented(system: System) -> None:
    done = ask(system.url, SCHEMA_EXAMPLES, SEED, system.directory)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: 15" in done.stdout
