"""Which requests are answered on the event loop: those for predictions, by whatever protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from inference.http.inference_door import InferenceDoor
from inference.http.large_bodies import LargeBodies
from inference.http.open_inference.infer_door import InferDoor
from inference.http.predict_door import PredictDoor
from inference.http.tensorflow_serving.rows_door import RowsDoor

_NAME = "[A-Za-z0-9._-]{1,128}"
_NUMBER = "[1-9][0-9]{0,8}"
_INFER = re.compile(f"/v2/models/({_NAME})(?:/versions/({_NUMBER}))?/infer")
_ROWS = re.compile(f"/v1/models/({_NAME})(?:/versions/({_NUMBER})|/labels/({_NAME}))?:predict")

Route = tuple[InferenceDoor[Any], Sequence[str | None]]


class LoopRoutes:
    """Owns a door for each protocol."""

    def __init__(self) -> None:
        self.large_bodies = LargeBodies()
        self._predict: Route = PredictDoor(self.large_bodies), ()
        self._named: list[tuple[re.Pattern[str], InferenceDoor[Any]]] = [
            (_INFER, InferDoor(self.large_bodies)),
            (_ROWS, RowsDoor(self.large_bodies)),
        ]

    def find(self, method: str, path: str) -> Route | None:
        """The door of a request, and what its address names; None when Django answers it."""
        if method != "POST":
            return None
        if path == "/predict":
            return self._predict
        if path.startswith("/v"):
            for pattern, door in self._named:
                if found := pattern.fullmatch(path):
                    return door, found.groups()
        return None
