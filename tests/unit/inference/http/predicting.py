"""Predictions that are asked for in tests of what is behind /predict."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from inference.dispatch.answer import Answer
from inference.http.bodies.request_body import SMALL_BYTES
from tests.unit.asking import Answered, ask
from tests.unit.samples import answer_with

ROW = b'{"vector": [0.5, 0.25]}'


#: As many numbers as make a body, or an answer, a large one.
MANY = SMALL_BYTES // 4


def answer_of(outputs: Any) -> Answer:
    return answer_with({"sum": np.array(outputs, np.float32)})


def post(body: Any, **about: Any) -> Answered:
    return ask("/predict", body if isinstance(body, bytes) else json.dumps(body).encode(), **about)
