"""tritonclient over HTTP asks for all but predictions: health, what networks are, the repository."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.end_to_end.clients.networks import archive, doubled
from tests.end_to_end.clients.test_triton_infer import both
from tests.support.clients import RefusedError, RemoteClient
from workers.version import VERSION

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
ROWS = {"rows": {"datatype": "FP32", "dtype": "float32", "data": [[1.0, 2.0, 3.5]]}}


def files(content: bytes, version: int = 1) -> dict[str, str]:
    return {f"file:{version}/model.keras": b64encode(content).decode()}


def scaled(triton: RemoteClient, network: str, **options: Any) -> Any:
    (output,) = triton("infer", network, ROWS, **options)["outputs"].values()
    return output["data"]


def entries(triton: RemoteClient, network: str) -> list[dict[str, str]]:
    return [each for each in triton("get_model_repository_index") if each["name"] == network]


def test_the_server_is_live_and_ready_and_tells_what_it_can(triton: RemoteClient) -> None:
    assert (triton("is_server_live"), triton("is_server_ready")) == (True, True)
    told = triton("get_server_metadata")
    assert (told["name"], told["version"]) == ("pipeline", VERSION)
    assert {"binary_tensor_data", "model_repository", "model_configuration", "statistics"} <= set(told["extensions"])


def test_networks_that_answer_are_ready_and_others_are_not(triton: RemoteClient) -> None:
    assert triton("is_model_ready", "simple")
    assert triton("is_model_ready", "simple", "1")
    assert not triton("is_model_ready", "simple", "9")
    assert not triton("is_model_ready", "nobody")


def test_metadata_and_configuration_have_inputs_and_outputs(triton: RemoteClient) -> None:
    told = triton("get_model_metadata", "simple", model_version="1")
    tensors = {each["name"]: (each["datatype"], each["shape"]) for each in told["inputs"] + told["outputs"]}
    assert tensors == {name: ("INT32", [-1, 16]) for name in ("INPUT0", "INPUT1", "OUTPUT0", "OUTPUT1")}
    assert (told["name"], told["versions"], told["platform"]) == ("simple", ["1"], "keras")
    assert triton("get_model_metadata", "words")["inputs"] == [{"name": "word", "datatype": "BYTES", "shape": [-1, 1]}]

    config = triton("get_model_config", "simple")
    assert config["max_batch_size"] > 0
    assert [(each["data_type"], each["dims"]) for each in config["input"]] == [("TYPE_INT32", [16])] * 2
    assert triton("get_model_config", "words", "1")["input"][0]["data_type"] == "TYPE_STRING"


def test_statistics_count_rows_and_requests(triton: RemoteClient) -> None:
    triton("infer", "simple", both())
    (told,) = triton("get_inference_statistics", "simple")["model_stats"]
    assert (told["name"], told["version"]) == ("simple", "1")
    assert {"success", "fail", "queue", "compute_infer"} <= told["inference_stats"].keys()
    (of_version,) = triton("get_inference_statistics", "simple", "1")["model_stats"]
    assert of_version["version"] == "1"
    names = {each["name"] for each in triton("get_inference_statistics")["model_stats"]}
    assert {"sum", "simple", "words", "doubled"} <= names


def test_files_are_loaded_as_versions_and_unloaded_networks_come_back(triton: RemoteClient) -> None:
    network = "loaded"
    before = len(entries(triton, network))
    for number, factor in enumerate([3.0, 4.0], before + 1):
        triton("load_model", network, config="{}", files=files(archive(doubled(factor))))
        assert scaled(triton, network) == [[factor, 2 * factor, 3.5 * factor]]
        assert {"name": network, "version": str(number), "state": "READY", "reason": ""} in entries(triton, network)
    assert scaled(triton, network, model_version=str(before + 1)) == [[3.0, 6.0, 10.5]]

    triton("unload_model", network)
    assert not triton("is_model_ready", network)
    with pytest.raises(RefusedError) as refused:
        scaled(triton, network)
    assert refused.value.status == "404"

    triton("load_model", network)
    assert scaled(triton, network) == [[4.0, 8.0, 14.0]]


@pytest.mark.parametrize(
    ("method", "arguments", "named", "status"),
    [
        ("get_model_metadata", ["nobody"], {}, 404),
        ("get_model_metadata", ["simple", "9"], {}, 404),
        ("get_model_config", ["nobody"], {}, 404),
        ("get_inference_statistics", ["nobody"], {}, 404),
        ("load_model", ["nobody"], {}, 404),
        ("unload_model", ["nobody"], {}, 404),
        ("get_model_metadata", ["no such name"], {}, 404),
        ("load_model", ["broken"], {"config": "{}", "files": files(b"no weights")}, 400),
        ("load_model", ["broken"], {"config": "{}", "files": files(HDF5_MAGIC + bytes(99))}, 409),
        ("load_model", ["two"], {"config": "{}", "files": files(b"a") | files(b"b", 2)}, 400),
        ("get_trace_settings", ["simple"], {}, 404),
        ("get_system_shared_memory_status", [], {}, 404),
        ("get_log_settings", [], {}, 404),
    ],
)
def test_what_is_wrong_is_raised_with_its_status(
    method: str, arguments: list[str], named: Any, status: int, triton: RemoteClient
) -> None:
    with pytest.raises(RefusedError) as refused:
        triton(method, *arguments, **named)
    assert (refused.value.kind, refused.value.status) == ("InferenceServerException", str(status))
    assert refused.value.message.count("exception occurred in the client") == 0
