"""What cases are made of: one request with its answer, a refusal behind others, a prediction that must be answered."""

from __future__ import annotations

from tests.fuzz.http import bodies, framing, heads
from tests.fuzz.http.case import Asked, Case, Chances, Ending
from tests.fuzz.http.heads import request


def one(chances: Chances, kind: str, sent: bytes, asked: Asked, ending: Ending = Ending.ENDS) -> Case:
    """A case with one request and one answer."""
    return Case(kind, framing.pieces(chances.chance, sent), (asked,), 1, 1, ending)


def refused(chances: Chances, kind: str, sent: bytes, *before: Asked, ending: Ending = Ending.ENDS) -> Case:
    """A case whose last bytes are no request: one refusal after the other answers."""
    count = len(before) + 1
    return Case(kind, framing.pieces(chances.chance, sent), before, count, count, ending)


def sound_prediction(chances: Chances, *headers: str) -> tuple[bytes, Asked]:
    """A prediction that must be answered."""
    body, request_id = bodies.sound(chances.chance), chances.new_id()
    said = [*heads.some_headers(chances.chance), *headers]
    return request(request_id, body, *said), Asked(request_id, bodies.rows_of(body))
