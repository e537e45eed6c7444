"""What a kind of network is, for tests: the files that are uploaded, rows, and what must be answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workers.runtime.backend import keras


@dataclass(frozen=True)
class Sample:
    """Files, uploaded one after the other, rows, and what the last version must answer; None when that is drawn.

    Rows are those of the only input, or of inputs by their names; and so are answers.
    """

    uploads: list[bytes]
    rows: Any
    answers: dict[str, Any] | None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.rows.values())) if isinstance(self.rows, dict) else self.rows)

    def rows_as_json(self, number: int | slice) -> Any:
        """Some rows, or one."""
        if isinstance(self.rows, dict):
            return {name: each[number].tolist() for name, each in self.rows.items()}
        return self.rows[number].tolist()


@dataclass(frozen=True)
class Kind:
    """A kind of network; `says` is part of the refusal when it is not served, `remark` of a worker's remark."""

    sample: Callable[[], Sample]
    saved_as: str
    says: str = ""
    remark: str = ""
    tolerance: float = 2e-5


def answers_of(model: Any, rows: Any) -> dict[str, Any]:
    """What Keras answers to each row alone, one after the other."""
    count = Sample([], rows, None).count
    alone = [named(model(_row(rows, row), training=False)) for row in range(count)]
    return {name: np.concatenate([each[name] for each in alone]) for name in alone[0]}


def named(answer: Any) -> dict[str, Any]:
    """Arrays by the names of their outputs; that of the only one is ""."""
    outputs = answer if isinstance(answer, dict) else {"": answer}
    return {name: np.asarray(each) for name, each in outputs.items()}


def _row(rows: Any, number: int) -> Any:
    def tensor(each: Any) -> Any:
        row = each[number : number + 1]
        return keras.ops.convert_to_tensor(row.tolist(), "string") if row.dtype == object else row

    return {name: tensor(each) for name, each in rows.items()} if isinstance(rows, dict) else tensor(rows)
