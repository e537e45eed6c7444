"""KServe's REST client asks in both of its protocols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.end_to_end.clients.networks import answers, words
from tests.end_to_end.clients.test_triton_infer import TEXTS, both, expected, texts
from tests.support.clients import RefusedError, RemoteClient
from tests.support.samples import samples
from tests.support.system import System


@pytest.fixture(scope="module", params=["v1", "v2"])
def kserve(request: pytest.FixtureRequest, system: System) -> Iterator[RemoteClient]:
    """Its client, for a protocol."""
    client = RemoteClient("kserve_rest.py", system.url, request.param)
    try:
        yield client
    finally:
        client.close()


in_first = pytest.mark.parametrize("kserve", ["v1"], indirect=True)
in_second = pytest.mark.parametrize("kserve", ["v2"], indirect=True)


def test_networks_are_ready(kserve: RemoteClient) -> None:
    assert kserve("is_model_ready", "simple")


@in_second
def test_the_server_is_live_and_ready_and_a_network_that_is_not_there_is_not(kserve: RemoteClient) -> None:
    assert kserve("is_server_live")
    assert kserve("is_server_ready")
    assert not kserve("is_model_ready", "nobody")


@in_second
@pytest.mark.parametrize("binary_outputs", [True, False, None])
@pytest.mark.parametrize("binary_inputs", [True, False])
def test_tensors_go_as_bytes_and_as_json(
    binary_inputs: bool, binary_outputs: bool | None, kserve: RemoteClient
) -> None:
    outputs = {} if binary_outputs is None else {"OUTPUT0": binary_outputs, "OUTPUT1": binary_outputs}

    got = kserve("infer_tensors", "simple", both(), outputs, "my request", binary_inputs)

    assert (got["id"], got["network"], got["outputs"]) == ("my request", "simple", expected())


@in_second
@pytest.mark.parametrize("binary", [True, False])
def test_texts_go_and_come(binary: bool, kserve: RemoteClient) -> None:
    outputs = {"again": binary, "number": binary}

    got = kserve("infer_tensors", "words", {"word": texts(TEXTS)}, outputs, None, binary)

    wanted = answers(words(), word=TEXTS)
    assert got["outputs"]["number"]["data"] == wanted["number"].tolist()
    told = [text.removeprefix("b:") for (text,) in got["outputs"]["again"]["data"]]
    assert told == [each.decode() for each in wanted["again"].ravel()]


@in_second
@pytest.mark.parametrize(
    ("network", "inputs", "outputs", "status"),
    [
        ("nobody", both(), {}, 404),
        ("simple", {"INPUT0": both()["INPUT0"]}, {}, 400),
        ("simple", both(), {"no": True}, 400),
    ],
)
def test_what_is_wrong_is_raised_with_its_status(
    network: str, inputs: Any, outputs: Any, status: int, kserve: RemoteClient
) -> None:
    with pytest.raises(RefusedError) as refused:
        kserve("infer_tensors", network, inputs, outputs, None, True)
    assert (refused.value.kind, refused.value.status) == ("HTTPStatusError", status)
    assert not refused.value.message.startswith((",", "{"))  # it found the error's text


@in_first
def test_instances_and_inputs_are_answered_in_their_own_form(kserve: RemoteClient) -> None:
    rows = [[0.3, 0.7], [0.1, 0.2]]
    got = kserve("infer", {"instances": rows}, model_name="sum")["predictions"]
    np.testing.assert_allclose(np.ravel(got), samples()[0].answers(np.array(rows)), rtol=1e-6)

    columns = {name: each["data"] for name, each in both().items()}
    outputs = kserve("infer", {"inputs": columns}, model_name="simple")["outputs"]
    assert outputs == {name: each["data"] for name, each in expected().items()}


@in_first
@pytest.mark.parametrize(("network", "body", "status"), [("nobody", {"instances": [[1]]}, 404), ("sum", {}, 400)])
def test_what_is_wrong_in_the_first_protocol_is_raised_with_its_status(
    network: str, body: Any, status: int, kserve: RemoteClient
) -> None:
    with pytest.raises(RefusedError) as refused:
        kserve("infer", body, model_name=network)
    assert (refused.value.kind, refused.value.status) == ("HTTPStatusError", status)


@in_first
def test_a_network_that_is_not_there_is_not_found(kserve: RemoteClient) -> None:
    with pytest.raises(RefusedError) as refused:
        kserve("is_model_ready", "nobody")
    assert refused.value.status == 404
