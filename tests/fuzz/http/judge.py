"""What is wrong with the answers to a case: nothing, when the gateway kept its word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.fuzz.http.answers import Answer, NoAnswerError, read_answers
from tests.fuzz.http.case import CANNOT, REFUSED, SMUGGLED, Asked, Case, Ending, Rows
from tests.fuzz.http.protocols import result_of
from tests.support.samples import samples

#: The pages for people, and the files that they are made of.
FOR_PEOPLE = ("text/html", "text/javascript", "text/css", "image/", "application/yaml", "text/plain; version=")

#: TensorFlow's kernels differ in a float32's last bits by the size of a batch; another request's row differs by more.
PRECISION = 1e-6


def faults(case: Case, received: bytes) -> Iterator[str]:
    """Everything that is wrong with what was received until the connection ended."""
    try:
        answers = read_answers(received, [asked.request_id for asked in case.asked if asked.is_head])
        if case.ending in (Ending.ENDS, Ending.WAITS) and not case.least <= len(answers) <= case.most:
            yield f"{len(answers)} answers instead of {case.least} to {case.most}: {[each.status for each in answers]}"
        yield from _order_faults(case, answers)
        known = {asked.request_id: asked for asked in case.asked}
        for answer in answers:
            yield from _form_faults(answer, known.get(answer.request_id))
            yield from _content_faults(answer, known.get(answer.request_id))
    except NoAnswerError as error:
        yield str(error)


def _order_faults(case: Case, answers: list[Answer]) -> Iterator[str]:
    """Each request is answered once at most and in its turn; what is in none is not answered at all."""
    if any(answer.request_id.startswith(SMUGGLED) for answer in answers):
        yield "a request inside another one's body was answered"
    if any(answer.is_last for answer in answers[:-1]):
        yield "an answer after the last one"
    ids = [asked.request_id for asked in case.asked]
    named = [ids.index(answer.request_id) for answer in answers if answer.request_id in ids]
    if named != sorted(set(named)):
        yield f"answers in the order {named}"
    if any(not answer.request_id for answer in answers):
        yield "an answer without an id"
    strangers = [answer for answer in answers if answer.request_id not in ids]
    if case.ids_kept and any(answer.status not in REFUSED for answer in strangers):
        yield f"answered what nobody asked: {[answer.status for answer in strangers]}"


def _form_faults(answer: Answer, asked: Asked | None) -> Iterator[str]:
    """Errors are JSON of one shape; 500 is none of ours."""
    if answer.status >= 500 and answer.status not in CANNOT | REFUSED:
        yield f"{answer.status}: {answer.body[:200]!r}"
    if answer.status in (204, 304) or (asked and asked.is_head):
        return
    content_type = answer.headers.get("content-type", "")
    if asked and asked.protocol == "v2" and content_type == "application/octet-stream" and answer.status == 200:
        return
    if content_type.startswith(FOR_PEOPLE) or 300 <= answer.status < 400:
        return
    if content_type not in ("application/json", "application/vnd.oai.openapi+json"):
        yield f"{answer.status} of type {content_type!r}"
        return
    told = answer.json()
    if answer.status < 400:
        return
    if not (_is_error(told) if asked and asked.protocol else _is_error(told) or _is_failure(told)):
        yield f"{answer.status} of another shape: {told}"


def _is_failure(told: Any) -> bool:
    """Whether it is an error as Pipeline says them."""
    right = isinstance(told, dict) and told.get("status") is False and isinstance(told.get("message"), str)
    return right and bool(told["message"]) and set(told) <= {"status", "message", "checks"}


def _is_error(told: Any) -> bool:
    """Whether it is one as the field's protocols do, or what they say of one that is not ready."""
    if not isinstance(told, dict) or told.keys() == {"live", "ready"}:
        return isinstance(told, dict)
    return told.keys() == {"error"} and isinstance(told["error"], str) and bool(told["error"])


def _content_faults(answer: Answer, asked: Asked | None) -> Iterator[str]:
    if asked is None:
        return
    if asked.rows is None:
        if answer.status not in asked.statuses:
            yield f"{answer.status} instead of {sorted(asked.statuses)}: {answer.body[:200]!r}"
            predicted = answer.status == 200 and answer.body[:1] == b"{" and "result" in answer.json()
            if predicted and answer.json()["status"]:
                yield "predicted what holds no rows"
        return
    if asked.protocol:
        yield from _protocol_faults(answer, asked.rows, asked.protocol)
        return
    told = answer.json() if answer.status == 200 else {}
    if answer.status != 200 or not told.get("status"):
        if asked.rows.certain and answer.status not in CANNOT:
            yield f"a sound prediction was refused with {answer.status}: {answer.body[:300]!r}"
    elif asked.rows.rows:
        yield from _result_faults(asked.rows.rows, told.get("result"))


def _protocol_faults(answer: Answer, rows: Rows, spoken: str) -> Iterator[str]:
    """A sound prediction by another protocol is answered as rightly."""
    if answer.status == 200 and rows.rows:
        yield from _result_faults(rows.rows, result_of(answer, spoken))
    elif answer.status != 200 and rows.certain and answer.status not in CANNOT:
        yield f"a sound prediction was refused with {answer.status}: {answer.body[:300]!r}"


def _result_faults(rows: list[list[float]], result: Any) -> Iterator[str]:
    given = np.array(rows, np.float64)
    with np.errstate(over="ignore"):
        own = samples()[0].answers(given).astype(np.float64)
    # JSON has no infinity: what the network answers so is null.
    told = np.array([np.nan if each is None else each for each in np.array(result, object).reshape(-1)], np.float64)
    close = np.abs(told - own) <= PRECISION * (1 + np.abs(given).max(axis=1)) if told.shape == own.shape else False
    if not np.all(close | (np.isnan(told) & ~np.isfinite(own))):
        yield f"{rows} is answered {told.tolist()} instead of {own.tolist()}"
