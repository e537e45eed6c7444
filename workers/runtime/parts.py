"""Answers that are computed part by part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.messages.tensors import TENSORS_BYTES_MAX
from workers.runtime.errors import AnswerTooLargeError, NumbersError


def bounded(parts: Iterable[list[NDArray[Any]]]) -> list[list[NDArray[Any]]]:
    """The parts of an answer, as long as they fit in one.

    Raises:
        AnswerTooLargeError: they do not; the rest is not computed.
    """
    gathered: list[list[NDArray[Any]]] = []
    size = 0
    for part in parts:
        gathered.append(part)
        size += sum(output.nbytes for output in part)
        if size > TENSORS_BYTES_MAX:
            raise AnswerTooLargeError(f"the answer has more than {TENSORS_BYTES_MAX} bytes: ask for fewer rows at once")
    return gathered


def joined(parts: list[list[NDArray[Any]]]) -> list[NDArray[Any]]:
    """The parts one behind the other, output by output.

    Raises:
        NumbersError: they have other shapes, as rows have that are as long as the longest of their part.
    """
    try:
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]
    except ValueError as error:  # each is as long as its longest row
        raise NumbersError(
            "the answers to these requests are not of one length: they do not travel together"
        ) from error
