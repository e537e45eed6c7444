"""What a worker tells of a network's inputs and outputs; what is malformed is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workers.messages.message import ProtocolError
from workers.messages.network_signature import NetworkSignature, TensorSignature
from workers.messages.protocol import Report
from workers.messages.tensors import NAME_CHARACTERS_MAX, RANK_MAX, TENSORS_MAX

GIVEN = {"name": "image", "dtype": "float32", "shape": [None, 28, 28]}
MADE = {"name": "word", "dtype": "string", "shape": []}
TOLD = {"worker": "w1", "loaded": True, "trace": "", "seconds": 0.1}
BOTH = {"inputs": [GIVEN], "outputs": [MADE]}


def test_it_is_read_as_it_was_written() -> None:
    signature = NetworkSignature([TensorSignature("image", "float32", [None, 28, 28])], [TensorSignature(**MADE)])

    assert signature.to_json() == BOTH
    assert NetworkSignature.from_json(json.loads(json.dumps(signature.to_json()))) == signature


def test_a_report_has_it_or_none() -> None:
    report = Report("w1", loaded=True, trace="", seconds=0.1, signature=NetworkSignature.from_json(BOTH))

    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
    assert Report.from_json(TOLD).signature is None
    assert Report.from_json({**TOLD, "signature": None}).signature is None


def tensor(**fields: Any) -> dict[str, Any]:
    return {"inputs": [{**GIVEN, **fields}], "outputs": [MADE]}


@pytest.mark.parametrize(
    "signature",
    [
        5, "text", [], {}, {"inputs": [GIVEN]}, {"inputs": [], "outputs": [MADE]}, {"inputs": [GIVEN], "outputs": []},
        {"inputs": {"a": GIVEN}, "outputs": [MADE]}, {"inputs": [5], "outputs": [MADE]},
        {"inputs": [{"name": "a"}], "outputs": [MADE]}, {"inputs": [GIVEN] * (TENSORS_MAX + 1), "outputs": [MADE]},
        tensor(name=5), tensor(name="a\0"), tensor(name="a" * (NAME_CHARACTERS_MAX + 1)),
        tensor(dtype="object"), tensor(dtype=None), tensor(dtype=["float32"]),
        tensor(shape=None), tensor(shape="28"), tensor(shape=28), tensor(shape=[-1]), tensor(shape=[1.5]),
        tensor(shape=["x"]), tensor(shape=[True]), tensor(shape=[1] * RANK_MAX),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_what_is_malformed_is_refused(signature: Any) -> None:
    with pytest.raises(ProtocolError):
        NetworkSignature.from_json(signature)
    with pytest.raises(ProtocolError):
        Report.from_json({**TOLD, "signature": signature})
