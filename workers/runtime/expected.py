"""Whether a version answers its examples as it must."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.arrays import to_arrays
from workers.messages.tensors import ONLY_INPUT
from workers.messages.terms import Expected
from workers.runtime.errors import RowsError

SHOWN_ROWS = 3
SHOWN_CHARACTERS = 200
Arrays = dict[str, NDArray[Any]]


def differences(expected: Expected, predict: Callable[[Mapping[str, NDArray[Any]]], Arrays]) -> str:
    """How the answers to the examples differ from what they must be; "" when they do not.

    Raises:
        RowsError: the examples are no rows of this network, or their results none of its outputs.
    """
    answers, wanted = predict(to_arrays(expected.inputs)), to_arrays(expected.outputs)
    if wanted.keys() == {ONLY_INPUT} and len(answers) == 1:
        wanted = {next(iter(answers)): wanted[ONLY_INPUT]}
    if wanted.keys() != answers.keys():
        raise RowsError(f"the network's outputs are {', '.join(answers)}, the results are of {', '.join(wanted)}")
    said = [_of_output(name, answers[name], wanted[name], expected.tolerance) for name in answers]
    return "; ".join(each for each in said if each)


def _of_output(name: str, answers: NDArray[Any], wanted: NDArray[Any], tolerance: float) -> str:
    if answers.ndim == 2 and answers.shape[1] == 1 and wanted.ndim == 1:
        answers = answers[:, 0]  # as /predict answers
    if answers.shape != wanted.shape:
        raise RowsError(f"{name} has rows of shape {answers.shape[1:]}, the results are of shape {wanted.shape[1:]}")
    texts = {answers.dtype.kind, wanted.dtype.kind} & {"O"}
    if texts and answers.dtype != wanted.dtype:
        raise RowsError(f"{name} and its results are not both texts")
    if texts or (answers.dtype.kind in "iub" and wanted.dtype.kind in "iub"):
        apart = answers != wanted
    else:
        apart = ~np.isclose(answers.astype(np.float64), wanted.astype(np.float64), rtol=tolerance, atol=tolerance)
    rows = np.flatnonzero(apart.reshape(len(apart), -1).any(axis=1))
    if not rows.size:
        return ""
    shown = "; ".join(f"row {row + 1}: {_shown(answers[row])}, not {_shown(wanted[row])}" for row in rows[:SHOWN_ROWS])
    if texts:
        return f"{name} differs in {rows.size} of {len(apart)} rows: {shown}"
    furthest = float(np.nanmax(np.abs(answers.astype(np.float64) - wanted.astype(np.float64))))
    return (
        f"{name} differs in {rows.size} of {len(apart)} rows, by {furthest:g} at most, more than {tolerance:g}: {shown}"
    )


def _shown(numbers: NDArray[Any] | str) -> str:
    text = repr(numbers) if isinstance(numbers, str) else " ".join(str(numbers.tolist()).split())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
