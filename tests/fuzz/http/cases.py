"""Every kind of case, and the case that belongs to a seed: the same one each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tests.fuzz.http import bodies
from tests.fuzz.http.asked import broken_header, broken_line, odd_body, odd_form, pipelined, prediction, target, weights
from tests.fuzz.http.bounded import (
    broken_chunks,
    chunked,
    compressed,
    damaged_request,
    lying_length,
    other_bytes,
    smuggling,
    too_long_length,
    too_short_length,
    truncated,
)
from tests.fuzz.http.case import Case, Chances, Ending
from tests.fuzz.http.protocols import protocol


def make_case(chance: random.Random, name: str) -> Case:
    """The case that this chance leads to; `name` is in the ids of its requests."""
    (kind,) = chance.choices(list(KINDS), weights=[weight for weight, _ in KINDS.values()])
    made = KINDS[kind][1](Chances(chance, name), kind)
    if made.ending is Ending.ENDS and chance.random() < 0.03:
        # A client that does not wait learns nothing, and must leave nothing behind.
        ending = chance.choice([Ending.LEAVES, Ending.RESETS])
        return replace(made, least=0, ending=ending)
    return made


def case_of(seed: int) -> Case:
    """The case of a seed."""
    return make_case(random.Random(seed), f"fuzz-{seed}")


KINDS: dict[str, tuple[int, Callable[[Chances, str], Case]]] = {
    "predictions": (12, prediction),
    **dict.fromkeys(bodies.KINDS, (5, odd_body)),
    "protocols": (12, protocol),
    "pipelined": (4, pipelined),
    "broken lines": (6, broken_line),
    "broken headers": (7, broken_header),
    "addresses": (6, target),
    "lying lengths": (6, lying_length),
    "too long lengths": (3, too_long_length),
    "too short lengths": (4, too_short_length),
    "chunks": (4, chunked),
    "compressed": (4, compressed),
    "broken chunks": (5, broken_chunks),
    "smuggling": (8, smuggling),
    "truncated": (4, truncated),
    "other bytes": (4, other_bytes),
    "damaged requests": (8, damaged_request),
    "odd forms": (12, odd_form),
    "weights": (1, weights),
}
