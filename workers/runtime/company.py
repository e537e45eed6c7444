"""Whether a row's answer depends on the rows that are computed with it, as behind `Softmax(axis=0)` or a batch's mean.

Strangers' rows share a batch only where that changes no answer. An architecture does not tell, so it is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.tensors import STRING
from workers.runtime.errors import NumbersError
from workers.runtime.rows import TensorInfo

Rows = list[NDArray[Any]]

#: What is drawn: floats from here to there, and whole numbers below one of these, the small ones of which are in every
#: vocabulary; and in which company two rows are: in none are they sorted, turned round or moved on as they were.
DRAWS = (
    (0.0, 1.0, (2,), (0, 1, 0, 0, 1, 1, 1)),
    (-3.0, 3.0, (10, 2), (0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1)),
    (0.0, 255.0, (256, 10, 2), (0, 1, 0, 1, 1)),
)
SEED = 1
#: Texts of different lengths, for networks without vocabularies.
TEXTS = ("", "a", "b c", "A longer one, 1 2 3")
#: How far answers may differ by rounding, as a part of the largest number in their place: among as many rows, which are
#: computed alike; and alone, by what the network computes with.
ROUNDING_IN_PLACE = 1e-6
ROUNDING = {"float64": 1e-9, "float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}


def rows_belong_together(
    inputs: Sequence[TensorInfo],
    samples: Sequence[NDArray[Any]],
    size: int,
    answer: Callable[[Rows], Rows],
    compute_dtypes: set[str],
) -> bool:
    """Whether a row is answered otherwise in company than alone, beyond rounding; if none can be drawn, too.

    `samples` are, for each input that looks up what it is given, values that it knows; `size` stands for sizes of a row
    that are not fixed; `answer` computes just the rows that it is given, and raises NumbersError for some that it
    does not take.
    """
    drawn = np.random.default_rng(SEED)
    rounding = max((ROUNDING.get(dtype, 0.0) for dtype in compute_dtypes), default=0.0)
    found: list[bool] = []
    for lowest, highest, belows, company in DRAWS:
        for below in belows:
            two = [
                _draw(each, known, size, drawn, lowest, highest, below)
                for each, known in zip(inputs, samples, strict=True)
            ]
            try:
                found.append(_answers_depend(two, company, answer, rounding))
                break
            except NumbersError:
                continue
        if any(found):
            return True
    return not found


def _draw(
    info: TensorInfo,
    known: NDArray[Any],
    size: int,
    drawn: np.random.Generator,
    lowest: float,
    highest: float,
    below: int,
) -> NDArray[Any]:
    """Two rows."""
    shape = (2, *(size if wanted is None else wanted for wanted in info.row_shape))
    dtype = info.numpy_dtype
    if len(known) or info.dtype == STRING:
        # One value after the other, so that the rows differ wherever there are two.
        values = known if len(known) else np.array(TEXTS, object)
        return np.resize(drawn.permutation(values), shape).astype(dtype)
    if dtype.kind == "f":
        return drawn.uniform(lowest, highest, shape).astype(dtype)
    return drawn.integers(0, below, shape).astype(dtype)


def _answers_depend(two: Rows, company: Sequence[int], answer: Callable[[Rows], Rows], rounding: float) -> bool:
    """Whether one of two rows is answered otherwise in company of the other, than among as many like itself, or alone.

    Raises:
        NumbersError: they are refused.
    """
    in_company = answer([each[list(company)] for each in two])
    try:
        alike = [answer([each[[row] * len(company)] for each in two]) for row in (0, 1)]
        alone = [answer([each[row : row + 1] for each in two]) for row in (0, 1)]
    except NumbersError:
        return True
    for output, together in enumerate(in_company):
        among = [each[output] for each in alike]
        one, other = (each[output] for each in alone)
        if one.shape != other.shape or any(each.shape != together.shape for each in among):
            return True  # as long as the longest row of those that are computed with it
        in_place = np.stack([among[row][place] for place, row in enumerate(company)])
        by_themselves = np.concatenate([one, other])[list(company)]
        if by_themselves.shape != together.shape:
            return True
        if not _are_close(together, in_place, ROUNDING_IN_PLACE) or not _are_close(together, by_themselves, rounding):
            return True
    return False


def _are_close(one: NDArray[Any], other: NDArray[Any], rounding: float) -> bool:
    if one.dtype.kind != "f":
        return bool((one == other).all())
    with np.errstate(invalid="ignore"):
        largest = np.max(np.where(np.isfinite(one), np.abs(one), 0.0), axis=0, keepdims=True)
        # Not `allclose`, whose bound would be a number for all places.
        near = np.abs(one - other) <= rounding * largest
    return bool((near | (one == other) | (np.isnan(one) & np.isnan(other))).all())
