"""What predictions under weight changes are worth: right, wrong, stale or failed; and how long they took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.support.predicting_clients import Made, Prediction

#: Answers that differ in the last bits only are equal.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Switch:
    """A weight change that was answered with 200 and made a version active; times are of `time.monotonic`."""

    made: Made
    asked: float
    answered: float


@dataclass
class Verdict:
    """The predictions by what they are worth."""

    right: int = 0
    #: Not the answer of the version that it names, or of one that was never active.
    wrong: list[Prediction] = field(default_factory=list)
    #: By a version that a switch had replaced, and been answered, before the request was sent; or by one to come.
    stale: list[Prediction] = field(default_factory=list)
    failed: list[Prediction] = field(default_factory=list)

    @property
    def faultless(self) -> bool:
        """Whether every prediction is right, and there were some."""
        return self.right > 0 and not (self.wrong or self.stale or self.failed)

    def __str__(self) -> str:
        counts = f"{self.right} right, {len(self.wrong)} wrong, {len(self.stale)} stale, {len(self.failed)} failed"
        return "\n".join([counts, *(str(each) for each in [*self.wrong[:5], *self.stale[:5], *self.failed[:5]])])


def judge(
    predictions: Iterable[Prediction], switches: Sequence[Switch], own_answers: Mapping[Made, NDArray[Any]]
) -> Verdict:
    """Compare each prediction with the own answers (one a body) of the version that it names, and its time with the
    switches'."""
    active = _active_times(switches)
    verdict = Verdict()
    for each in predictions:
        if each.made is None:
            verdict.failed.append(each)
        elif each.made not in active or np.abs(each.result - own_answers[each.made][each.body]).max() > TOLERANCE:
            verdict.wrong.append(each)
        elif not any(each.sent <= until and each.received >= since for since, until in active[each.made]):
            verdict.stale.append(each)
        else:
            verdict.right += 1
    return verdict


def _active_times(switches: Sequence[Switch]) -> dict[Made, list[tuple[float, float]]]:
    """When each version may have been active: from when its switch was asked until a later one was answered.

    Of two switches at the same time either may be the later one.
    """
    times: dict[Made, list[tuple[float, float]]] = {}
    for each in switches:
        until = min((later.answered for later in switches if later.asked >= each.answered), default=inf)
        times.setdefault(each.made, []).append((each.asked, until))
    return times


class Latency(NamedTuple):
    """Predictions of a stretch of time."""

    count: int
    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float


def latency(predictions: Iterable[Prediction], begin: float, end: float) -> Latency:
    """How long the predictions took that were sent between two times."""
    taken = np.array([(each.received - each.sent) * 1000 for each in predictions if begin <= each.sent < end])
    assert len(taken), "nothing was predicted in this time"
    p50, p99 = np.percentile(taken, [50, 99])
    return Latency(len(taken), len(taken) / (end - begin), float(p50), float(p99), float(taken.max()))
