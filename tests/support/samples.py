"""The sample networks in data/, and what each of them answers, computed by Keras in this process."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.settings import ROOT

NN_IDS = ("000127a35b5f462b8ec68fb4d905ac36", "0d3c5dffa4374c77a554ed38c9c50296", "dfd2cd54a1ec4a408285f547f6827ea2")
ARCHITECTURE = ROOT / "data" / "sum_network.json"


@dataclass(frozen=True)
class Sample:
    """One sample network."""

    nn_id: str
    file: Path

    def answers(self, rows: NDArray[Any]) -> NDArray[Any]:
        """What the network answers to rows of two numbers, one number each."""
        architecture, weights = _loaded(self.file)
        outputs: NDArray[Any] = architecture.predict_rows(weights, rows.astype(np.float32))[:, 0]
        return outputs


@cache
def _loaded(file: Path) -> Any:
    from workers.runtime.engine import Architecture

    architecture = Architecture(ARCHITECTURE.read_text())
    with TemporaryDirectory() as folder:
        decoded = Path(folder) / "sample.weights.h5"
        decoded.write_bytes(base64.b64decode(file.read_bytes()))
        return architecture, architecture.load(decoded)


def samples() -> list[Sample]:
    """The three samples in the order of their ids."""
    return [Sample(nn_id, next((ROOT / "data").glob(f"{nn_id}_*.b64"))) for nn_id in NN_IDS]
