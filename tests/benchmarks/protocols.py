"""The protocols side by side: rows as JSON and as bytes, few and many, narrow and wide, and an image.

Run it with `scripts/bench protocols`. One connection asks one request after the other; then 64 ask for one row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from tests.benchmarks.report import Row, parser, report
from tests.benchmarks.systems import at
from tests.benchmarks.wrk import load
from tests.support.keep_alive import KeptConnection, post_bytes, post_request
from tests.support.own_node import running_system
from tests.support.samples import samples
from tests.support.system import System

#: Rows, and the shape of one.
SIZES: list[tuple[int, tuple[int, ...]]] = [
    (1, (2,)), (100, (2,)), (10_000, (2,)), (10_000, (8,)), (1, (1000,)), (100, (1000,)), (1, (224, 224, 3)),
]  # fmt: skip
INPUT, OUTPUT = "numbers", "mean"
WARM_UP = 3
TOLERANCE = 1e-4


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


WAYS: dict[str, Callable[[str, str, NDArray[Any]], bytes]] = {
    "/predict": in_json, "v2, JSON": in_v2, "v2, bytes": in_bytes,
}  # fmt: skip


def means_of(body: bytes, count: int) -> NDArray[Any]:
    """What an answer says, whichever way it came."""
    if body.startswith(b'{"status"'):
        return np.array(orjson.loads(body)["result"]).ravel()
    if b"binary_data_size" not in body:
        return np.array(orjson.loads(body)["outputs"][0]["data"])
    return np.frombuffer(body[-4 * count :], np.float32)


def ask(system: System, name: str, rows: NDArray[Any], way: str, seconds: float) -> Row:
    """Ask one request after the other; the first answers are looked at."""
    request = WAYS[way](system.url, name, rows)
    connection = KeptConnection(system.url, 60.0)
    means = rows.reshape(len(rows), -1).mean(axis=1)
    for _ in range(WARM_UP):
        status, body = connection.exchange(request)
        assert status == 200, body[:500]
        np.testing.assert_allclose(means_of(body, len(rows)), means, atol=TOLERANCE)
    times = []
    until = perf_counter() + seconds
    while (began := perf_counter()) < until:
        status, _ = connection.exchange(request)
        times.append((perf_counter() - began) * 1000)
        assert status == 200
    connection.close()
    shape = " x ".join(map(str, rows.shape[1:]))
    return {
        "rows": len(rows),
        "of": shape,
        "way": way,
        "MB": len(request) / 1e6,
        "p50 ms": float(np.median(times)),
        "rows/s": len(rows) * len(times) / seconds,
    }


def together(system: System, connections: int, seconds: int) -> list[Row]:
    """One row of the sum network, on many connections at once."""
    own = at(system.url)
    tensor = {"name": INPUT, "datatype": "FP32", "shape": [1, 2], "data": [0.3, 0.7]}
    asked = {
        "/predict": own,
        "v2, JSON": replace(
            own,
            url=f"{system.url}/v2/models/sum/infer",
            body=orjson.dumps({"inputs": [tensor]}),
            pattern='"data":%[([^%]]+)',
        ),
        "v1": replace(
            own,
            url=f"{system.url}/v1/models/sum:predict",
            body=b'{"instances":[[0.3,0.7]]}',
            pattern='"predictions":%[%[([^%]]+)',
        ),
    }
    rows: list[Row] = []
    for way, question in asked.items():
        load(question, connections, 2)
        measured = load(question, connections, seconds)
        rows.append(
            {
                "rows": 1,
                "of": f"2, {connections} connections, {measured.wrong + measured.errors} wrong or none",
                "way": way,
                "MB": len(question.body) / 1e6,
                "p50 ms": measured.p50_ms,
                "rows/s": measured.right_per_second,
            }
        )
    return rows


def main() -> None:
    """Measure and report."""
    options = parser(__doc__)
    options.add_argument("--seconds", type=int, default=3, help="for each line; default: %(default)s")
    options.add_argument("--connections", type=int, default=64, help="at once, in the end; default: %(default)s")
    chosen = options.parse_args()
    drawn = np.random.default_rng(1)
    rows: list[Row] = []
    with TemporaryDirectory() as folder, running_system(1) as system:
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
        rows += together(system, chosen.connections, chosen.seconds)
    report("protocols", rows, chosen.out)


if __name__ == "__main__":
    main()
