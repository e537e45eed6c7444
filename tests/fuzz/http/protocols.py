"""Predictions by the field's protocols, sound and damaged: as JSON, and as bytes behind JSON whose lengths lie."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

import numpy as np
import orjson

from tests.fuzz.http import bodies, heads
from tests.fuzz.http.answers import Answer
from tests.fuzz.http.case import ANY_ROWS, CANNOT, NN_ID, REFUSED, Asked, Case, Chances, Rows
from tests.fuzz.http.heads import request
from tests.fuzz.http.making import one

V2, V1 = f"/v2/models/{NN_ID}/infer", f"/v1/models/{NN_ID}:predict"
HEAD_SIZE = "Inference-Header-Content-Length"
#: What the sum network's input is called.
INPUT = "numbers"
LENGTHS = ["", "x", "-1", "1e2", "+5", "0x10", " ", "9" * 30, "9" * 5000, "\xb2", "0", "1", "5, 5"]
SIZES = [-1, 0, 1, 7, 9, 2**31, 2**63, 2**64 + 1, 1.5, "8", None, True, [], {}]
SHAPES = [[], [0, 2], [-1, 2], [2**40, 2**40], [1] * 65, [1, 3], [2], "x", None, [1.0, 2], [True, 2], [1, 0]]
DATATYPES = ["FP8", "BYTES", "BOOL", "UINT64", "", None, 7, [], "fp32"]


@dataclass
class Body:
    """A body that may have bytes behind its JSON, whose length it says then."""

    head: bytes
    raw: bytes = b""
    said: str | None = None

    @property
    def headers(self) -> list[str]:
        """That length, if it says one."""
        said = str(len(self.head)) if self.said is None and self.raw else self.said
        return [] if said is None else [f"{HEAD_SIZE}: {said}"]


def protocol(chances: Chances, kind: str) -> Case:
    """A prediction by one of the protocols: half of them sound, the others with something wrong."""
    chance, request_id = chances.chance, chances.new_id()
    rows = [[chance.uniform(-9, 9), float(chance.randint(-9, 9))] for _ in range(chance.randint(1, 5))]
    asked = Asked(request_id, Rows(rows), protocol="v2" if chance.random() < 0.7 else "v1")
    body = _tensors(chance, rows) if asked.protocol == "v2" else _rows(chance, rows)
    if chance.random() < 0.5:
        asked = Asked(request_id, ANY_ROWS, protocol=asked.protocol)  # what it became, or whether it is one, who knows
        body = _damaged(chance, body)
        if chance.random() < 0.3 and asked.protocol == "v2":
            body, asked = _lying(chance, rows), Asked(request_id, statuses=REFUSED | CANNOT, protocol="v2")
    line = f"POST {V2 if asked.protocol == 'v2' else V1} HTTP/1.1"
    sent = request(request_id, body.head + body.raw, *heads.some_headers(chance), *body.headers, line=line)
    return one(chances, kind, sent, asked)


def _tensor(rows: list[list[float]]) -> dict[str, object]:
    return {"name": INPUT, "shape": [len(rows), 2], "datatype": "FP64"}


def _tensors(chance: random.Random, rows: list[list[float]]) -> Body:
    tensor, raw = _tensor(rows), b""
    if chance.random() < 0.5:
        tensor["data"] = rows if chance.random() < 0.5 else [each for row in rows for each in row]
    else:
        raw = np.array(rows, "<f8").tobytes()
        tensor["parameters"] = {"binary_data_size": len(raw)}
    said: dict[str, object] = {"inputs": [tensor]}
    if chance.random() < 0.3:
        said["id"] = chance.choice(["", "42", "ü", "\0"])
    if chance.random() < 0.4:
        said["parameters"] = {"binary_data_output": chance.random() < 0.5, "priority": 1}
    return Body(json.dumps(said).encode(), raw)


def _rows(chance: random.Random, rows: list[list[float]]) -> Body:
    named = chance.random() < 0.3
    if chance.random() < 0.5:
        return Body(orjson.dumps({"instances": [{INPUT: row} for row in rows] if named else rows}))
    return Body(orjson.dumps({"inputs": {INPUT: rows} if named else rows, "signature_name": "serving_default"}))


def _damaged(chance: random.Random, body: Body) -> Body:
    """One of another shape, or with bytes cut out, changed or put in."""
    if chance.random() < 0.2:
        return Body(chance.choice(list(bodies.KINDS.values()))(chance), body.raw)
    if chance.random() < 0.4 and b'"inputs": [' in body.head:
        said = orjson.loads(body.head)
        field, others = chance.choice([("shape", SHAPES), ("datatype", DATATYPES), ("name", ["", 7, "x" * 300, "a\n"])])
        said["inputs"][0][field] = chance.choice(others)
        return Body(json.dumps(said).encode(), body.raw)
    head = bytearray(body.head)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(head) + 1)
        if chance.random() < 0.5:
            del head[place : place + chance.randint(1, 9)]
        else:
            head[place:place] = chance.choice([b"\x00", b"\xff", b"[", b"}", b'"', b",", b"-", b"9" * 30, b"null"])
    return Body(bytes(head), body.raw)


def _lying(chance: random.Random, rows: list[list[float]]) -> Body:
    """One whose lengths are not those of its parts."""
    raw, tensor = np.array(rows, "<f8").tobytes(), _tensor(rows)
    tensor["parameters"] = {"binary_data_size": len(raw)}
    match chance.randrange(4):
        case 0:
            tensor["parameters"] = {"binary_data_size": chance.choice([each for each in SIZES if each != len(raw)])}
        case 1:
            raw = raw[: chance.randrange(len(raw))]
        case 2:
            raw += b"\0" * chance.randint(1, 70_000)
        case _:
            head = json.dumps({"inputs": [tensor]}).encode()
            return Body(head, raw, chance.choice([*LENGTHS, str(len(head) - 1), str(len(head) + 1), str(10**9)]))
    head = json.dumps({"inputs": [tensor]}).encode()
    return Body(head, raw, str(len(head)))


def result_of(answer: Answer, spoken: str) -> object:
    """The numbers that an answer 200 tells."""
    if spoken == "v1":
        told = answer.json()
        return told.get("predictions", told.get("outputs"))
    size = answer.headers.get(HEAD_SIZE.lower())
    if size is None:
        return answer.json()["outputs"][0]["data"]
    (output,) = orjson.loads(answer.body[: int(size)])["outputs"]
    raw = answer.body[int(size) :]
    if len(raw) != output["parameters"]["binary_data_size"]:
        return None
    return np.frombuffer(raw, "<f4").tolist()
