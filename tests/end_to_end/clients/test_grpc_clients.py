"""The gRPC clients that people have: tritonclient in its three ways, its examples, and KServe's."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.clients.networks import answers, archive, doubled, words
from tests.end_to_end.clients.test_triton_infer import TEXTS, both, expected, texts
from tests.support.clients import PROGRAMS, RefusedError, RemoteClient, run_client
from tests.support.system import System

ROWS = {"rows": {"datatype": "FP32", "dtype": "float32", "data": [[1.0, 2.0, 3.5]]}}


@pytest.fixture(scope="module")
def address(system: System) -> str:
    """Where gRPC is answered."""
    return system.environment["PIPELINE_GRPC_BIND"]


@pytest.fixture(scope="module", params=["sync", "callback", "asyncio"])
def triton(request: pytest.FixtureRequest, address: str) -> Iterator[RemoteClient]:
    """tritonclient, of one kind."""
    client = RemoteClient("triton_grpc.py", request.param, address)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="module")
def kserve(address: str) -> Iterator[RemoteClient]:
    """KServe's."""
    client = RemoteClient("kserve_grpc.py", address)
    try:
        yield client
    finally:
        client.close()


def files(content: bytes) -> dict[str, str]:
    return {"file:1/model.keras": b64encode(content).decode()}


def scaled(triton: RemoteClient, network: str, **options: Any) -> Any:
    (output,) = triton("infer", network, ROWS, **options)["outputs"].values()
    return output["data"]


def refused(client: RemoteClient, method: str, *arguments: Any, **named: Any) -> str:
    """The code that a call is refused with."""
    with pytest.raises(RefusedError) as raised:
        client(method, *arguments, **named)
    assert raised.value.message
    return str(raised.value.status)


def test_tritons_own_examples_pass(address: str) -> None:
    done = run_client("python", PROGRAMS / "simple_grpc_infer_client.py", address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("PASS: infer\n")


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("outputs", [None, ["OUTPUT1"]])
def test_tensors_go_and_come(outputs: list[str] | None, compression: str | None, triton: RemoteClient) -> None:
    named = {"request_id": "mine", "model_version": "1", "timeout": 20_000_000, "client_timeout": 60, "priority": 3}
    got = triton("infer", "simple", both(), outputs, compression_algorithm=compression, **named)

    assert got["outputs"] == {name: each for name, each in expected().items() if outputs is None or name in outputs}
    assert (got["response"]["id"], got["response"]["model_name"]) == ("mine", "simple")
    assert got["response"]["model_version"] == "1"


def test_texts_go_and_come(triton: RemoteClient) -> None:
    got = triton("infer", "words", {"word": texts(TEXTS)})["outputs"]

    wanted = answers(words(), word=TEXTS)
    assert got["number"]["data"] == wanted["number"].tolist()
    told = [text.removeprefix("b:") for (text,) in got["again"]["data"]]
    assert told == [each.decode() for each in wanted["again"].ravel()]


def test_the_server_and_networks_tell_of_themselves(triton: RemoteClient) -> None:
    assert (triton("is_server_live"), triton("is_server_ready")) == (True, True)
    assert triton("get_server_metadata")["name"] == "pipeline"
    assert (triton("is_model_ready", "simple"), triton("is_model_ready", "simple", "1")) == (True, True)
    told = triton("get_model_metadata", "simple", "1")
    assert {each["name"]: each["datatype"] for each in told["inputs"]} == {"INPUT0": "INT32", "INPUT1": "INT32"}
    assert triton("get_model_config", "words")["config"]["input"][0]["data_type"] == "TYPE_STRING"
    (statistics,) = triton("get_inference_statistics", "simple")["model_stats"]
    assert statistics["version"] == "1"


def test_files_are_loaded_and_unloaded_networks_come_back(triton: RemoteClient) -> None:
    network = "loaded-by-grpc"
    for factor in (3.0, 4.0):
        triton("load_model", network, config="{}", files=files(archive(doubled(factor))))
        assert scaled(triton, network) == [[factor, 2 * factor, 3.5 * factor]]
    index = triton("get_model_repository_index")["models"]
    assert {each["state"] for each in index if each["name"] == network} == {"READY"}

    triton("unload_model", network)
    assert refused(triton, "infer", network, ROWS) == "StatusCode.NOT_FOUND"
    triton("load_model", network)
    assert scaled(triton, network) == [[4.0, 8.0, 14.0]]


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("infer", ["nobody", ROWS], "NOT_FOUND"),
        ("infer", ["simple", ROWS], "INVALID_ARGUMENT"),
        ("infer", ["doubled", ROWS, ["no such output"]], "INVALID_ARGUMENT"),
        ("get_model_metadata", ["simple", "9"], "NOT_FOUND"),
        ("unload_model", ["nobody"], "NOT_FOUND"),
        ("get_trace_settings", ["simple"], "UNIMPLEMENTED"),
    ],
)
def test_what_is_wrong_is_raised_with_its_code(
    method: str, arguments: list[Any], code: str, triton: RemoteClient
) -> None:
    assert refused(triton, method, *arguments) == f"StatusCode.{code}"


def test_kserves_client_finds_the_server_and_networks(kserve: RemoteClient) -> None:
    assert (kserve("is_server_live"), kserve("is_server_ready"), kserve("is_model_ready", "simple")) == (True,) * 3


@pytest.mark.parametrize("raw", [True, False])
def test_kserves_client_sends_bytes_and_contents(raw: bool, kserve: RemoteClient) -> None:
    got = kserve("infer", "simple", both(), "mine", raw)
    assert (got["id"], got["network"], got["outputs"]) == ("mine", "simple", expected())

    wanted = answers(words(), word=TEXTS)
    assert kserve("infer", "words", {"word": texts(TEXTS)}, None, raw)["outputs"]["number"]["data"] == (
        wanted["number"].tolist()
    )


def test_kserves_client_is_told_what_is_wrong(kserve: RemoteClient) -> None:
    assert refused(kserve, "infer", "nobody", both(), None, True) == "StatusCode.NOT_FOUND"
    assert refused(kserve, "infer", "simple", ROWS, None, True) == "StatusCode.INVALID_ARGUMENT"
