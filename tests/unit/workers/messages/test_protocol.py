"""Every message comes through the wire as it was, and what is no message is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.samples import ARCHITECTURE, DIGEST, NN_ID, VERSION, only_input, tensor, worker_status
from workers.messages.details import LOADED_MAX, PROGRAMS, WorkerDetails
from workers.messages.message import TRACE_CHARACTERS_MAX, Message, ProtocolError
from workers.messages.packing import pack, unpack
from workers.messages.protocol import (
    REMARK_CHARACTERS_MAX,
    REMARKS_MAX,
    WORKER_CHARACTERS_MAX,
    GatewayStatus,
    PredictBatch,
    PredictReply,
    Report,
    VersionRef,
    WorkerStatus,
    is_digest,
    is_nn_id,
)
from workers.messages.supplied import CHUNK_BYTES, CHUNK_CONTENT_TYPE, ActiveVersions, FileChunk, FileRequest
from workers.messages.tensors import NAME_CHARACTERS_MAX, RANK_MAX, TENSORS_MAX, Tensor, Tensors, count_rows

hex_digits = st.text("0123456789abcdef", min_size=64, max_size=64)
times = st.floats(0, 1e9)
versions = st.builds(
    VersionRef, hex_digits.map(lambda text: text[:32]), st.integers(1, 2**31), hex_digits, hex_digits
)  # fmt: skip
shapes = st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple)


def _tensors(shape: tuple[int, ...]) -> st.SearchStrategy[Tensor]:
    data = st.binary(min_size=_bytes(shape), max_size=_bytes(shape))
    return st.builds(Tensor, st.just("float32"), st.just(shape), data)


tensors = shapes.flatmap(_tensors)
#: Tensors of one number of rows, by name; a row may be one number.
named_tensors = st.integers(1, 5).flatmap(
    lambda rows: st.dictionaries(
        st.text(max_size=NAME_CHARACTERS_MAX).filter(str.isprintable),
        st.lists(st.integers(0, 3), max_size=3).flatmap(lambda sizes: _tensors((rows, *sizes))),
        min_size=1,
        max_size=3,
    )
)

workers = st.text(min_size=1, max_size=WORKER_CHARACTERS_MAX)


def _bytes(shape: tuple[int, ...]) -> int:
    size = 4
    for side in shape:
        size *= side
    return size


def _batch(version: VersionRef, inputs: Tensors, together: bool) -> PredictBatch:
    rows = count_rows(inputs)
    return PredictBatch(version, inputs, [rows] if together else [1] * rows)


def across_the_wire(message: Message) -> Message:
    if isinstance(message, PredictBatch | PredictReply):
        return type(message).from_json(unpack(pack(message.to_packed())))
    return type(message).from_json(json.loads(json.dumps(message.to_json())))


@given(
    st.one_of(
        versions,
        tensors,
        st.builds(_batch, versions, named_tensors, st.booleans()),
        st.builds(PredictReply, workers, named_tensors, times, times),
        st.builds(Report, workers, st.booleans(), st.text(), times, st.lists(st.text(), max_size=REMARKS_MAX)),
        st.builds(
            WorkerStatus,
            workers,
            st.lists(st.text()),
            st.none() | st.just(NN_ID),
            st.none() | st.integers(1),
            times,
            times,
            st.integers(0),
        ),
        st.builds(GatewayStatus, st.text(), st.integers(0), st.integers(0), st.integers(0)),
        st.builds(FileRequest, hex_digits, st.integers(0, 1000).map(lambda chunk: chunk * CHUNK_BYTES)),
        st.builds(ActiveVersions, st.lists(versions).map(tuple)),
    )
)
def test_every_message_arrives_as_it_left(message: Message) -> None:
    assert across_the_wire(message) == message


def test_what_a_report_says_has_a_bound_whatever_was_sent() -> None:
    report = Report.from_json(changed(REPORT, trace="\0" * 10_000_000))

    assert len(report.trace) <= TRACE_CHARACTERS_MAX
    assert report.trace.startswith("\\x00\\x00")


def test_a_reports_remarks_are_short_and_can_be_stored() -> None:
    report = Report("worker", loaded=True, trace="", seconds=1.0, remarks=["a\0b", "x" * 5000])
    assert Report.from_json(report.to_json()).remarks == ["a\\x00b", "x" * REMARK_CHARACTERS_MAX]
    assert Report.from_json({"worker": "w", "loaded": True, "trace": "", "seconds": 1.0}).remarks == []


@pytest.mark.parametrize("chunk", [FileChunk(3, b"\x00\xff\x80"), FileChunk(-1, b""), FileChunk(2**40, b"x")], ids=repr)
def test_a_chunk_arrives_as_it_left(chunk: FileChunk) -> None:
    arrived = chunk.content or ""  # as py-amqp has no content at all
    assert FileChunk.from_message(CHUNK_CONTENT_TYPE, chunk.headers(), arrived) == chunk


def test_a_batch_knows_how_many_rows_it_has() -> None:
    batch = PredictBatch(VERSION, {"a": tensor([1.0], [2.0]), "b": Tensor("bool", (2,), b"\x00\x01")}, [1, 1])

    assert (batch.rows_count, BATCH.rows_count, REPLY.rows_count) == (2, 1, 1)


def test_fields_of_a_later_release_are_passed_over() -> None:
    assert VersionRef.from_json({**VERSION.to_json(), "colour": "red"}) == VERSION


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "A" * 32, "g" * 32, "0" * 32 + "\n", None, 7, ["0" * 32]])
def test_what_is_not_32_lower_case_hex_digits_names_no_network(text: object) -> None:
    assert not is_nn_id(text)


@pytest.mark.parametrize("text", ["", "a" * 63, "A" * 64, "a" * 64 + "\n", None])
def test_what_is_not_64_lower_case_hex_digits_is_no_digest(text: object) -> None:
    assert not is_digest(text)


def without(message: Message, field: str) -> dict[str, Any]:
    return {name: value for name, value in message.to_json().items() if name != field}


def changed(message: Message, **fields: Any) -> dict[str, Any]:
    return {**message.to_json(), **fields}


ROWS = tensor([0.5, 0.25])
BATCH = PredictBatch(VERSION, only_input([0.5, 0.25]), [1])
REPLY = PredictReply("worker", {"sum": ROWS}, 0.5, 0.7)
#: What is no inputs or outputs by name.
ODD_TENSORS: list[Any] = [
    {}, [], None, 5, "text", ROWS.to_json(), {"a": None}, {"a": {}}, {"a": changed(ROWS, dtype="object")},
    *[{name: ROWS.to_json()} for name in ("x" * (NAME_CHARACTERS_MAX + 1), "\ud800", "a\0b", "\n")],
    {"a": tensor([1.0], [2.0]).to_json(), "b": tensor([1.0]).to_json()},
    {"a": {"dtype": "float32", "shape": [0, 2], "data": ""}},
    {str(number): ROWS.to_json() for number in range(TENSORS_MAX + 1)},
]  # fmt: skip
REPORT = Report("worker", loaded=True, trace="", seconds=1.0)
STATUS = worker_status()
DETAILS = STATUS.details
assert DETAILS
GATEWAY = GatewayStatus("gateway", 1, 256)
REQUEST = FileRequest(DIGEST, 0)

REFUSED: list[tuple[type[Message], Any]] = [
    *[(kind, data) for kind in (VersionRef, Tensor, PredictBatch, PredictReply, Report, WorkerStatus, GatewayStatus,
                                FileRequest, ActiveVersions) for data in (None, 5, "text", [], {})],
    *[(VersionRef, without(VERSION, field)) for field in ("nn_id", "number", "digest", "architecture")],
    (VersionRef, changed(VERSION, nn_id="A" * 32)),
    *[(VersionRef, changed(VERSION, number=number)) for number in (0, -1, 1.0, "1", None, True)],
    (VersionRef, changed(VERSION, digest=DIGEST[1:])),
    (VersionRef, changed(VERSION, architecture=ARCHITECTURE.upper())),
    (Tensor, changed(ROWS, dtype="object")),
    (Tensor, changed(ROWS, dtype=["float32"])),
    *[(Tensor, changed(ROWS, shape=shape)) for shape in ([], [1, 3], [-1, -2], [1.0, 2], ["1", 2], [True, 2], 2, "2",
                                                        [2] + [1] * RANK_MAX)],
    *[(Tensor, changed(ROWS, data=data)) for data in ("", "AAA", "not base64!", "é", 5, None)],
    *[(PredictBatch, without(BATCH, field)) for field in ("version", "inputs", "request_rows")],
    *[(PredictBatch, changed(BATCH, request_rows=rows)) for rows in (
        1, None, "1", [], [0], [2], [1, 1], [1, 0], [2, -1], [1.0], [True], ["1"], {"0": 1})],
    (PredictBatch, changed(BATCH, version={})),
    *[(PredictBatch, changed(BATCH, inputs=odd)) for odd in ODD_TENSORS],
    *[(PredictReply, changed(REPLY, outputs=odd)) for odd in ODD_TENSORS],
    *[(PredictReply, without(REPLY, field)) for field in ("worker", "outputs", "inference_ms", "handling_ms")],
    *[(PredictReply, changed(REPLY, inference_ms=value)) for value in (None, "soon", [])],
    *[(Report, without(REPORT, field)) for field in ("worker", "loaded", "trace", "seconds")],
    *[(Report, changed(REPORT, **fields)) for fields in ({"worker": None}, {"worker": "x" * 256}, {"loaded": 1},
                                                         {"loaded": "true"}, {"trace": None}, {"seconds": "1"},
                                                         {"remarks": "text"}, {"remarks": None}, {"remarks": [1]},
                                                         {"remarks": ["x"] * (REMARKS_MAX + 1)})],
    *[(WorkerStatus, without(STATUS, field)) for field in ("worker", "address", "nn_id", "count_requests_handled")],
    *[(WorkerStatus, changed(STATUS, **fields)) for fields in ({"worker": 1}, {"address": "here"}, {"nn_id": "x"},
                                                               {"count_requests_handled": -1})],
    *[(WorkerStatus, changed(STATUS, details=details)) for details in (5, "text", [], {})],
    *[(WorkerDetails, without(DETAILS, field)) for field in ("programs", "memory_bytes", "loaded_count")],
    *[(WorkerDetails, changed(DETAILS, **fields)) for fields in (
        {"programs": {}}, {"programs": dict.fromkeys(sorted(PROGRAMS), 3)},
        {"programs": dict.fromkeys(sorted(PROGRAMS), "x" * 65)},
        {"memory_bytes": -1}, {"networks_bytes": "5"}, {"loaded": None}, {"loaded": [None]}, {"loaded": [{}]},
        {"loaded": [{"nn_id": NN_ID, "digest": 5, "size_bytes": 1}]},
        {"loaded": [{"nn_id": NN_ID, "digest": DIGEST, "size_bytes": -1}]},
        {"loaded": [{"nn_id": NN_ID, "digest": DIGEST, "size_bytes": 1}] * (LOADED_MAX + 1)})],
    *[(GatewayStatus, changed(GATEWAY, **fields)) for fields in ({"gateway": None}, {"requests_held": -1},
                                                                 {"requests_max": 2.5}, {"requests_max": True},
                                                                 {"timings_dropped": -1})],
    *[(FileRequest, changed(REQUEST, **fields)) for fields in ({"digest": "../secret"}, {"offset": 1}, {"offset": -1},
                                                               {"offset": None}, {"offset": "0"})],
    *[(ActiveVersions, {"versions": versions}) for versions in (None, 5, [None], [{}], "text")],
]  # fmt: skip


@pytest.mark.parametrize(("kind", "data"), REFUSED, ids=lambda value: getattr(value, "__name__", repr(value))[:60])
def test_what_is_no_message_is_refused(kind: type[Message], data: object) -> None:
    with pytest.raises(ProtocolError):
        kind.from_json(data)


@pytest.mark.parametrize(
    ("content_type", "headers", "body"),
    [
        ("application/json", {"size": 3}, b"{}"),
        (None, {"size": 3}, b"abc"),
        *[(CHUNK_CONTENT_TYPE, headers, b"abc") for headers in (None, {}, [], "size", {"length": 3})],
        *[(CHUNK_CONTENT_TYPE, {"size": size}, b"abc") for size in (None, "3", -2, 3.0, True, [3])],
        *[(CHUNK_CONTENT_TYPE, {"size": 3}, body) for body in (None, "abc", {}, bytearray(3))],
        (CHUNK_CONTENT_TYPE, {"size": 2 * CHUNK_BYTES}, bytes(CHUNK_BYTES + 1)),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_chunk_is_refused(content_type: object, headers: object, body: object) -> None:
    with pytest.raises(ProtocolError):
        FileChunk.from_message(content_type, headers, body)


def test_a_worker_of_an_earlier_release_has_no_details() -> None:
    assert WorkerStatus.from_json(without(STATUS, "details")).details is None
