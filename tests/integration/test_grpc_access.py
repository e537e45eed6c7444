"""Who may call over gRPC where tokens are required, and what a gateway that has it off does without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from grpc import StatusCode

from inference.access.keys import START_TOKEN, digest_of, new_key
from inference.client.http_client import PipelineClient
from inference.grpc_door import open_inference_pb2 as messages
from inference.supervision.addresses import LOOPBACK, free_ports
from inference.supervision.rabbitmq import PrivateNode
from tests.support.grpc_client import raw_request, refused, stub_of
from tests.support.samples import samples
from tests.support.system import System

FIRST = samples()[0]
REQUEST = raw_request(FIRST.nn_id, {"numbers": np.ones((1, 2), np.float32)})
KEY = new_key()


@pytest.fixture(scope="module")
def system(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """HTTP listens on loopback, gRPC to the world: so both require tokens. Everybody knows the one that may do all."""
    made = System(
        tmp_path_factory.mktemp("grpc"),
        rabbitmq.url,
        PIPELINE_GRPC_BIND=f"0.0.0.0:{free_ports(1)[0]}",
        PIPELINE_GATEWAY_PROCESSES="1",
        **{START_TOKEN: digest_of(KEY)},
    )
    made.client = PipelineClient(made.url, 60.0, KEY)
    try:
        yield made.start(1).load_first_sample()
    finally:
        made.stop()


@pytest.fixture
def stub(system: System) -> Iterator[Any]:
    port = system.environment["PIPELINE_GRPC_BIND"].rpartition(":")[2]
    with stub_of(f"{LOOPBACK}:{port}") as made:
        yield made


def bearing(key: str, scheme: str = "Token") -> tuple[tuple[str, str], ...]:
    return (("authorization", f"{scheme} {key}"),)


def test_who_has_a_token_is_answered(stub: Any) -> None:
    for scheme in ("Token", "Bearer"):
        assert stub.ModelInfer(REQUEST, metadata=bearing(KEY, scheme)).model_name == FIRST.nn_id


def test_who_has_none_or_a_wrong_one_is_refused(stub: Any) -> None:
    for metadata in (None, bearing("made up"), bearing(KEY, "Basic")):
        with refused(StatusCode.UNAUTHENTICATED, "--may predict"):
            stub.ModelInfer(REQUEST, metadata=metadata)


def test_each_call_needs_its_right(system: System, stub: Any) -> None:
    made = system.manage("create_token", "watcher", "--may", "status")
    metadata = bearing(made.stdout.split()[-1])

    assert stub.RepositoryIndex(messages.RepositoryIndexRequest(), metadata=metadata).models
    with refused(StatusCode.PERMISSION_DENIED, "needs the right 'predict'"):
        stub.ModelInfer(REQUEST, metadata=metadata)
    with refused(StatusCode.PERMISSION_DENIED, "needs the right 'weights'"):
        stub.RepositoryModelUnload(messages.RepositoryModelUnloadRequest(model_name=FIRST.nn_id), metadata=metadata)
    assert stub.ServerLive(messages.ServerLiveRequest()).live


def test_a_gateway_that_has_it_off_loads_nothing_of_it(system: System) -> None:
    def maps(pid: int) -> str:
        (process,) = psutil.Process(pid).children()
        return Path(f"/proc/{process.pid}/maps").read_text()

    system.add_gateway(PIPELINE_GRPC_BIND="", PIPELINE_REQUIRE_TOKEN="false")

    assert "/grpc/" in maps(system.gateway.pid or 0)
    without = maps(system.more_gateways[0].pid or 0)
    assert "/grpc/" not in without
    assert "/google/" not in without
