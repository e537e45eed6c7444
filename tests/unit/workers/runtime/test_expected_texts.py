"""Examples whose results are texts hold when they are the same, and say where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workers.messages.arrays import to_tensor
from workers.messages.terms import Expected
from workers.runtime.errors import RowsError
from workers.runtime.expected import differences


def examples(results: Any) -> Expected:
    rows = {"": to_tensor(np.array([["a"], ["b"]], object))}
    return Expected.from_json(Expected(rows, {"": to_tensor(results)}, 1e-4).to_json())


def echoed(given: Any) -> Any:
    return {"out": given[""]}


def test_the_same_texts_hold_and_another_one_is_said() -> None:
    assert differences(examples(np.array([["a"], ["b"]], object)), echoed) == ""
    said = differences(examples(np.array(["a", "c"], object)), echoed)
    assert said == "out differs in 1 of 2 rows: row 2: 'b', not 'c'"


def test_numbers_are_no_results_of_a_network_that_makes_texts() -> None:
    with pytest.raises(RowsError, match="out and its results are not both texts"):
        differences(examples(np.array([[1.0], [2.0]])), echoed)
