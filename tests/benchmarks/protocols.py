"""The protocols side by side: rows as JSON, as bytes and over gRPC, few and many, narrow and wide, and an image.

Run it with `scripts/bench protocols`. One connection asks one request after the other; then 64 ask for one row, by
every protocol in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import grpc
import numpy as np
import orjson
from numpy.typing import NDArray

from inference.grpc_door.open_inference_pb2 import ModelInferResponse
from inference.supervision.addresses import LOOPBACK, free_ports
from tests.benchmarks.h2load import Load, load
from tests.benchmarks.report import Row, parser, report
from tests.support.grpc_client import outputs_of, raw_request
from tests.support.keep_alive import KeptConnection, post_bytes, post_request
from tests.support.own_node import running_system
from tests.support.samples import samples
from tests.support.system import System

#: Rows, and the shape of one.
SIZES: list[tuple[int, tuple[int, ...]]] = [
    (1, (2,)), (100, (2,)), (10_000, (2,)), (10_000, (8,)), (1, (1000,)), (100, (1000,)),
    (10_000, (1000,)), (1, (224, 224, 3)),
]  # fmt: skip
INPUT, OUTPUT = "numbers", "mean"
WARM_UP = 3
TOLERANCE = 1e-4
#: As a gateway has it when nothing is set: a request beyond it is refused.
BODY_BYTES_MAX = 8 * 1024**2
INFER = "/inference.GRPCInferenceService/ModelInfer"
UNBOUNDED = [("grpc.max_receive_message_length", -1)]
JSON = {"content-type": "application/json"}


def network(shape: tuple[int, ...], file: Path) -> None:
    """Write a network that answers a row with its mean: all else shows."""
    from workers.runtime.backend import keras

    given = keras.Input(shape, name=INPUT)
    flat = keras.layers.Reshape((-1, 1))(given)
    keras.Model(given, keras.layers.GlobalAveragePooling1D(name=OUTPUT)(flat)).save(file)


def in_json(url: str, name: str, rows: NDArray[Any]) -> bytes:
    """POST /predict."""
    return post_request(url, "/predict", {"nn_id": name, "data": rows.tolist()})


def in_v2(url: str, name: str, rows: NDArray[Any]) -> bytes:
    """Open Inference Protocol, flat numbers in JSON."""
    tensor = {"name": INPUT, "datatype": "FP32", "shape": rows.shape, "data": rows.ravel().tolist()}
    return post_request(url, f"/v2/models/{name}/infer", {"inputs": [tensor]})


def in_bytes(url: str, name: str, rows: NDArray[Any]) -> bytes:
    """Open Inference Protocol, bytes in and out."""
    about = {"name": INPUT, "datatype": "FP32", "shape": rows.shape, "parameters": {"binary_data_size": rows.nbytes}}
    head = orjson.dumps({"inputs": [about], "parameters": {"binary_data_output": True}})
    headers = f"Inference-Header-Content-Length: {len(head)}\r\n"
    return post_bytes(url, f"/v2/models/{name}/infer", head + rows.tobytes(), headers)


def in_grpc(_: str, name: str, rows: NDArray[Any]) -> bytes:
    """Open Inference Protocol over gRPC, bytes in and out: the message alone."""
    return raw_request(name, {INPUT: rows}).SerializeToString()


#: Sends what was written, and has the status and the body of the answer.
Exchange = Callable[[bytes], tuple[int, bytes]]
#: By what a protocol is called here: what it sends, and whether that goes over gRPC.
WAYS: dict[str, tuple[Callable[[str, str, NDArray[Any]], bytes], bool]] = {
    "/predict": (in_json, False), "v2, JSON": (in_v2, False), "v2, bytes": (in_bytes, False), "gRPC": (in_grpc, True),
}  # fmt: skip


def means_of(way: str, body: bytes, count: int) -> NDArray[Any]:
    """What an answer says."""
    if way == "gRPC":
        return outputs_of(ModelInferResponse.FromString(body))[OUTPUT].ravel()
    if way == "/predict":
        return np.array(orjson.loads(body)["result"]).ravel()
    if way == "v2, JSON":
        return np.array(orjson.loads(body)["outputs"][0]["data"])
    return np.frombuffer(body[-4 * count :], np.float32)


@contextmanager
def connected(system: System, over_grpc: bool) -> Iterator[Exchange]:
    """One connection."""
    if not over_grpc:
        connection = KeptConnection(system.url, 60.0)
        try:
            yield connection.exchange
        finally:
            connection.close()
        return
    with grpc.insecure_channel(system.environment["PIPELINE_GRPC_BIND"], UNBOUNDED) as channel:
        call: Callable[..., bytes] = channel.unary_unary(INFER)

        def exchange(message: bytes) -> tuple[int, bytes]:
            try:
                return 200, call(message, timeout=60)
            except grpc.RpcError as error:
                return 0, str(error.details()).encode()

        yield exchange


def ask(system: System, name: str, rows: NDArray[Any], way: str, seconds: float) -> Row:
    """Ask one request after the other; the first answers are looked at."""
    write, over_grpc = WAYS[way]
    request = write(system.url, name, rows)
    row: Row = {
        "rows": len(rows), "of": " x ".join(map(str, rows.shape[1:])), "way": way, "MB": len(request) / 1e6
    }  # fmt: skip
    means = rows.reshape(len(rows), -1).mean(axis=1)
    times = []
    with connected(system, over_grpc) as exchange:
        for _ in range(WARM_UP):
            if len(request) > BODY_BYTES_MAX:
                with suppress(OSError):  # the answer comes, and the connection ends, while we still send
                    assert exchange(request)[0] != 200, "what is too large was answered"
                return {**row, "p50 ms": "refused", "rows/s": ""}
            status, body = exchange(request)
            assert status == 200, body[:500]
            np.testing.assert_allclose(means_of(way, body, len(rows)), means, atol=TOLERANCE)
        until = perf_counter() + seconds
        while (began := perf_counter()) < until:
            status, _ = exchange(request)
            times.append((perf_counter() - began) * 1000)
            assert status == 200
    return {**row, "p50 ms": float(np.median(times)), "rows/s": len(rows) * len(times) / seconds}


@dataclass(frozen=True)
class Question:
    """One row of the sum network."""

    url: str
    body: bytes
    headers: dict[str, str]
    http2: bool = False


def questions(system: System, name: str) -> dict[str, Question]:
    """The same by each protocol."""
    tensor = {"name": "numbers", "datatype": "FP32", "shape": [1, 2], "data": [0.3, 0.7]}
    message = raw_request(name, {"numbers": np.array([[0.3, 0.7]], np.float32)}).SerializeToString()
    framed = b"\0" + len(message).to_bytes(4) + message
    grpc_url = f"http://{system.environment['PIPELINE_GRPC_BIND']}{INFER}"
    return {
        "/predict": Question(f"{system.url}/predict", b'{"vector":[0.3,0.7]}', JSON),
        "v2, JSON": Question(f"{system.url}/v2/models/{name}/infer", orjson.dumps({"inputs": [tensor]}), JSON),
        "v1": Question(f"{system.url}/v1/models/{name}:predict", b'{"instances":[[0.3,0.7]]}', JSON),
        "gRPC": Question(grpc_url, framed, {"content-type": "application/grpc", "te": "trailers"}, http2=True),
    }


def together(system: System, name: str, connections: int, seconds: int, rounds: int) -> list[Row]:
    """One row on many connections at once: each protocol in turn, the first round unmeasured."""
    found: dict[str, list[Load]] = {}
    for number in range(rounds + 1):
        for way, asked in questions(system, name).items():
            measured = load(asked.url, asked.body, asked.headers, connections, seconds, http2=asked.http2)
            assert not measured.refused, way
            if number:
                found.setdefault(way, []).append(measured)
    base = [each.answers_per_second for each in found["/predict"]]
    return [
        {
            "way": way,
            "mean ms": median(each.mean_ms for each in loads),
            "answers/s": median(each.answers_per_second for each in loads),
            "of /predict": median(each.answers_per_second / other for each, other in zip(loads, base, strict=True)),
        }
        for way, loads in found.items()
    ]


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--seconds", type=int, default=3, help="for each line; default: %(default)s")
    options.add_argument("--connections", type=int, default=64, help="at once, in the end; default: %(default)s")
    options.add_argument("--rounds", type=int, default=5, help="of those; default: %(default)s")
    chosen = options.parse_args()
    drawn = np.random.default_rng(1)
    rows: list[Row] = []
    grpc_bind = f"{LOOPBACK}:{free_ports(1)[0]}"
    with TemporaryDirectory() as folder, running_system(1, PIPELINE_GRPC_BIND=grpc_bind) as system:
        for number, (count, shape) in enumerate(SIZES):
            name, file = f"mean-{number}", Path(folder) / f"{number}.keras"
            network(shape, file)
            nn_id = f"{number:032x}"
            assert system.client.set_weights(nn_id, file.name, file.read_bytes())["status"]
            system.client.name_network(nn_id, name)
            given = drawn.random((count, *shape), np.float32)
            rows += [ask(system, name, given, way, chosen.seconds) for way in WAYS]
        sample = samples()[0]
        assert system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())["status"]
        system.client.name_network(sample.nn_id, "sum")
        many = together(system, "sum", chosen.connections, chosen.seconds, chosen.rounds)
    report("protocols", rows, chosen.out)
    report(f"protocols-{chosen.connections}", many, chosen.out)


if __name__ == "__main__":
    main()
