"""The calls: valid and invalid ones, in the order in which they are made."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

HEAD_SIZE = "Inference-Header-Content-Length"
FIRST, SECOND = list(range(16)), [3] * 16
RAW_FIRST, RAW_SECOND = struct.pack("<16i", *FIRST), struct.pack("<16i", *SECOND)
SIMPLE, DOUBLED, WORDS = ("/v2/models/" + name for name in ("simple", "doubled", "words"))
BINARY = {"binary_data_size": 64}
NO_ROWS = {"shape": [0, 16], "data": []}


@dataclass(frozen=True)
class Call:
    """One request, by a name that tells what it is about."""

    name: str
    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def infers(self) -> bool:
        """Whether what it answers is compared to the last digit."""
        return self.path.endswith("/infer")


def tensor(name: str, data: Any = None, datatype: Any = "INT32", shape: Any = (1, 16), **more: Any) -> dict[str, Any]:
    """An input."""
    about = {"name": name, "datatype": datatype, "shape": shape}
    return about | ({} if data is None else {"data": data}) | more


def pair(**second: Any) -> list[dict[str, Any]]:
    """The inputs of `simple`, with something else about the second."""
    return [tensor("INPUT0", FIRST), {**tensor("INPUT1", SECOND), **second}]


def infer(name: str, inputs: Any, path: str = SIMPLE, headers: dict[str, str] | None = None, **more: Any) -> Call:
    """A prediction by JSON."""
    return Call(
        f"infer: {name}", "POST", f"{path}/infer", json.dumps({"inputs": inputs, **more}).encode(), headers or {}
    )


def binary(name: str, inputs: Any, raw: bytes, size: str = "", path: str = SIMPLE, **more: Any) -> Call:
    """A prediction by JSON with bytes behind it."""
    head = json.dumps({"inputs": inputs, **more}).encode()
    return Call(f"binary: {name}", "POST", f"{path}/infer", head + raw, {HEAD_SIZE: size or str(len(head))})


def packed(name: str, body: bytes, encoding: str) -> Call:
    """A prediction with a body that is said to be compressed."""
    return Call(f"compressed: {name}", "POST", f"{SIMPLE}/infer", body, {"Content-Encoding": encoding})


def text(*texts: str) -> bytes:
    """Texts as bytes."""
    return b"".join(struct.pack("<I", len(each.encode())) + each.encode() for each in texts)


def _servers() -> Iterator[Call]:
    for path in ("/v2/health/live", "/v2/health/ready", "/v2", "/v2/", "/v2/nothing"):
        yield Call(f"GET {path}", "GET", path)
    yield Call("POST to health", "POST", "/v2/health/live")
    for path in ("/v2/systemsharedmemory/status", "/v2/trace/setting", "/v2/logging"):
        yield Call(f"GET {path}", "GET", path)


def _networks() -> Iterator[Call]:
    for what in ("", "/ready", "/config", "/stats"):
        for where in (
            SIMPLE,
            f"{SIMPLE}/versions/1",
            f"{SIMPLE}/versions/9",
            f"{SIMPLE}/versions/x",
            "/v2/models/nobody",
        ):
            yield Call(f"GET {where}{what}", "GET", where + what)
    yield Call("metadata of texts", "GET", WORDS)
    yield Call("stats of all", "GET", "/v2/models/stats")
    yield Call("POST to metadata", "POST", SIMPLE, b"{}")


def _repository() -> Iterator[Call]:
    yield Call("index", "POST", "/v2/repository/index")
    yield Call("index: ready", "POST", "/v2/repository/index", b'{"ready": true}')
    yield Call("index: no JSON", "POST", "/v2/repository/index", b"{")
    yield Call("index: GET", "GET", "/v2/repository/index")
    yield Call("load: again", "POST", "/v2/repository/models/doubled/load")
    yield Call("load: nobody", "POST", "/v2/repository/models/nobody/load")
    yield Call("load: no JSON", "POST", "/v2/repository/models/doubled/load", b"{")
    yield Call("unload: nobody", "POST", "/v2/repository/models/nobody/unload")
    yield Call(
        "unload", "POST", "/v2/repository/models/doubled/unload", b'{"parameters": {"unload_dependents": false}}'
    )
    yield Call("unloaded: ready", "GET", f"{DOUBLED}/ready")
    yield Call("unloaded: metadata", "GET", DOUBLED)
    yield infer("unloaded", [tensor("rows", [1, 2, 3], "FP32", [1, 3])], DOUBLED)
    yield Call("unloaded: index", "POST", "/v2/repository/index")
    yield Call("load: unloaded", "POST", "/v2/repository/models/doubled/load", b"{}")
    yield Call("loaded: ready", "GET", f"{DOUBLED}/ready")


def _valid() -> Iterator[Call]:
    yield infer("flat", pair())
    yield infer("nested", [tensor("INPUT0", [FIRST]), tensor("INPUT1", [SECOND])])
    yield infer("two rows", [tensor(f"INPUT{number}", [FIRST, SECOND], shape=[2, 16]) for number in range(2)])
    yield infer("by version", pair(), f"{SIMPLE}/versions/1")
    yield infer("id", pair(), id="mine")
    yield infer("an empty id", pair(), id="")
    yield infer("one output", pair(), outputs=[{"name": "OUTPUT1"}])
    yield infer("outputs in another order", pair(), outputs=[{"name": "OUTPUT1"}, {"name": "OUTPUT0"}])
    yield infer("an output twice", pair(), outputs=[{"name": "OUTPUT1"}, {"name": "OUTPUT1"}])
    yield infer("outputs empty", pair(), outputs=[])
    yield infer("inputs in another order", pair()[::-1])
    yield infer("a parameter of the user's", pair(), parameters={"mine": 3})
    yield infer("priority and timeout", pair(), parameters={"priority": 1, "timeout": 9_000_000})
    yield infer("fractions", [tensor("rows", [1.5, -2, 1e-3], "FP32", [1, 3])], DOUBLED)
    yield infer("texts", [tensor("word", ["red", "übergrün", "?"], "BYTES", [3, 1])], WORDS)
    yield infer("a form's content type", pair(), headers={"Content-Type": "application/x-www-form-urlencoded"})
    yield infer("no rows", [tensor("INPUT0") | NO_ROWS, tensor("INPUT1") | NO_ROWS])
    yield infer("65 rows", [tensor(f"INPUT{number}", [FIRST] * 65, shape=[65, 16]) for number in range(2)])
    asked = [tensor("INPUT0", parameters=BINARY), tensor("INPUT1", parameters=BINARY)]
    yield binary("inputs", asked, RAW_FIRST + RAW_SECOND)
    yield binary("one of the inputs", [tensor("INPUT0", FIRST), asked[1]], RAW_SECOND)
    yield binary("all outputs", asked, RAW_FIRST + RAW_SECOND, parameters={"binary_data_output": True})
    mixed = [{"name": "OUTPUT0", "parameters": {"binary_data": True}}, {"name": "OUTPUT1"}]
    yield binary("one of the outputs", asked, RAW_FIRST + RAW_SECOND, outputs=mixed)
    not_one = [{"name": "OUTPUT0", "parameters": {"binary_data": False}}, {"name": "OUTPUT1"}]
    yield binary(
        "but one output", asked, RAW_FIRST + RAW_SECOND, outputs=not_one, parameters={"binary_data_output": True}
    )
    numbers = struct.pack("<3f", float("nan"), float("inf"), 0.5)
    rows = [tensor("rows", None, "FP32", [1, 3], parameters={"binary_data_size": 12})]
    yield binary("no numbers", rows, numbers, path=DOUBLED, parameters={"binary_data_output": True})
    raw = text("green", "übergrün")
    words = [tensor("word", None, "BYTES", [2, 1], parameters={"binary_data_size": len(raw)})]
    yield binary("texts", words, raw, path=WORDS, parameters={"binary_data_output": True})
    body = json.dumps({"inputs": pair()}).encode()
    yield packed("gzip", gzip.compress(body), "gzip")
    yield packed("deflate", zlib.compress(body), "deflate")
    yield packed("identity", body, "identity")
    many = [tensor(f"INPUT{number}", [FIRST] * 60, shape=[60, 16]) for number in range(2)]
    for accepted in ("gzip", "deflate", "gzip, deflate", "br", "*"):
        yield infer(f"an answer in {accepted}", many, headers={"Accept-Encoding": accepted})


def _invalid() -> Iterator[Call]:
    yield infer("nobody", pair(), "/v2/models/nobody")
    yield infer("no such version", pair(), f"{SIMPLE}/versions/9")
    yield Call("infer: GET", "GET", f"{SIMPLE}/infer")
    for name, body in {"no body": b"", "no JSON": b"{", "a list": b"[]", "no inputs": b"{}", "null": b"null"}.items():
        yield Call(f"infer: {name}", "POST", f"{SIMPLE}/infer", body)
    yield infer("inputs empty", [])
    yield infer("inputs no list", {"INPUT0": FIRST})
    yield infer("an input missing", pair()[:1])
    yield infer("an input too many", [*pair(), tensor("INPUT2", FIRST)])
    yield infer("an input twice", [*pair(), tensor("INPUT1", FIRST)])
    yield infer("no name", pair(name=None))
    yield infer("no data", pair(data=None))
    yield infer("no shape", pair(shape=None))
    yield infer("no datatype", pair(datatype=None))
    yield infer("an unknown datatype", pair(datatype="INT33"))
    yield infer("another datatype", pair(datatype="FP32"))
    yield infer("a wider datatype", pair(datatype="INT64"))
    yield infer("another size", pair(data=[1] * 17, shape=[1, 17]))
    yield infer("another rank", pair(shape=[16]))
    yield infer("too few numbers", pair(data=[1] * 15))
    yield infer("too many numbers", pair(data=[1] * 17))
    yield infer("other nesting", pair(data=[[[each]] for each in SECOND]))
    yield infer("a negative size", pair(shape=[-1, 16]))
    yield infer("other counts of rows", pair(shape=[2, 16], data=SECOND * 2))
    yield infer("a fraction for a whole number", pair(data=[1.5] * 16))
    yield infer("a number that is too large", pair(data=[2**31] * 16))
    yield infer("texts for numbers", pair(data=["1"] * 16))
    yield infer("booleans for numbers", pair(data=[True] * 16))
    yield infer("nulls for numbers", pair(data=[None] * 16))
    yield infer("numbers for texts", [tensor("word", [1], "BYTES", [1, 1])], WORDS)
    yield infer("an unknown output", pair(), outputs=[{"name": "OUTPUT2"}])
    yield infer("an output without a name", pair(), outputs=[{}])
    yield infer("an id that is a number", pair(), id=7)
    yield infer("parameters no object", pair(), parameters=[])
    yield infer("a timeout that is a text", pair(), parameters={"timeout": "1"})
    yield infer("a sequence", pair(), parameters={"sequence_id": 4, "sequence_start": True, "sequence_end": True})
    yield infer("a classification", pair(), outputs=[{"name": "OUTPUT0", "parameters": {"classification": 2}}])
    region = {"shared_memory_region": "mine", "shared_memory_byte_size": 64}
    yield infer("shared memory", pair(data=None, parameters=region))
    asked = [tensor("INPUT0", parameters=BINARY), tensor("INPUT1", parameters=BINARY)]
    raw = RAW_FIRST + RAW_SECOND
    yield binary("bytes missing", asked, raw[:-4])
    yield binary("bytes left over", asked, raw + b"1234")
    yield binary(
        "a size that is no multiple", [asked[0], tensor("INPUT1", parameters={"binary_data_size": 63})], raw[:-1]
    )
    yield binary(
        "a size that does not fit", [asked[0], tensor("INPUT1", parameters={"binary_data_size": 32})], raw[:-32]
    )
    yield binary("data and bytes", [asked[0], tensor("INPUT1", SECOND, parameters=BINARY)], raw)
    yield binary("a head that is too long", asked, raw, "99999")
    yield binary("a head that is too short", asked, raw, "10")
    yield binary("a head that is no number", asked, raw, "x")
    yield binary("a negative head", asked, raw, "-1")
    for name, broken in {"too long": b"\xff\0\0\0ab", "cut": b"\x02\0", "no UTF-8": b"\x02\0\0\0\xff\xfe"}.items():
        sized = {"binary_data_size": len(broken)}
        yield binary(f"a text {name}", [tensor("word", None, "BYTES", [1, 1], parameters=sized)], broken, path=WORDS)
    body = json.dumps({"inputs": pair()}).encode()
    yield packed("no gzip", body, "gzip")
    yield packed("half", gzip.compress(body)[:-9], "gzip")
    yield packed("nobody knows how", body, "br")


def calls() -> Iterable[Call]:
    """All of them."""
    return [*_servers(), *_networks(), *_repository(), *_valid(), *_invalid()]
