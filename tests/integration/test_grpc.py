"""The Open Inference Protocol over gRPC, asked by gRPC's own client of real gateway processes and workers."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
import requests
from google.protobuf.descriptor_pool import DescriptorPool
from grpc import StatusCode, aio
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from keras import Input, Model, layers

from inference.grpc_door import open_inference_pb2 as messages
from inference.supervision.addresses import LOOPBACK, free_ports
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.grpc_client import OWN_CONNECTION, SECONDS, InferenceStub, outputs_of, raw_request, refused, stub_of
from tests.support.keras_kinds import WORDS, chain, file_of
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until

FIRST, SECOND, _ = samples()
ROWS = np.random.default_rng(1).random((3, 2)).astype(np.float32)
#: Less than the answer to one row differs by when it is computed among others.
TOLERANCE = 1e-6


def listening(directory: Any, broker_url: str, **settings: str) -> tuple[System, str]:
    """A system that answers gRPC, and where."""
    address = f"{LOOPBACK}:{free_ports(1)[0]}"
    return System(directory, broker_url, PIPELINE_GRPC_BIND=address, **settings), address


@pytest.fixture(scope="module")
def system(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    made, _ = listening(tmp_path_factory.mktemp("grpc"), rabbitmq.url)
    for started in running(made, workers=2):
        yield started.load_first_sample()


@pytest.fixture(scope="module")
def address(system: System) -> str:
    return system.environment["PIPELINE_GRPC_BIND"]


@pytest.fixture
def stub(address: str) -> Iterator[Any]:
    with stub_of(address) as made:
        yield made


def load(stub: Any, name: str, content: bytes) -> None:
    file = messages.ModelRepositoryParameter(bytes_param=content)
    request = messages.RepositoryModelLoadRequest(model_name=name, parameters={"file:1/model": file})
    stub.RepositoryModelLoad(request, timeout=SECONDS)


def infer(stub: Any, network: str, **inputs: Any) -> dict[str, Any]:
    return outputs_of(stub.ModelInfer(raw_request(network, inputs), timeout=SECONDS))


def input_of(stub: Any, network: str) -> str:
    """The name of a network's only input."""
    (told,) = stub.ModelMetadata(messages.ModelMetadataRequest(name=network)).inputs
    return str(told.name)


def test_the_server_tells_of_itself_and_of_its_networks(stub: Any) -> None:
    assert stub.ServerLive(messages.ServerLiveRequest()).live
    assert stub.ServerReady(messages.ServerReadyRequest()).ready
    assert stub.ServerMetadata(messages.ServerMetadataRequest()).name == "pipeline"
    assert stub.ModelReady(messages.ModelReadyRequest(name=FIRST.nn_id, version="1")).ready
    told = stub.ModelMetadata(messages.ModelMetadataRequest(name=FIRST.nn_id))
    assert (told.platform, list(told.versions)) == ("keras", ["1"])
    assert [(each.name, each.datatype, list(each.shape)) for each in told.inputs] == [("numbers", "FP32", [-1, 2])]
    config = stub.ModelConfig(messages.ModelConfigRequest(name=FIRST.nn_id)).config
    assert [(each.data_type, list(each.dims)) for each in config.output] == [(messages.TYPE_FP32, [1])]
    index = stub.RepositoryIndex(messages.RepositoryIndexRequest(ready=True)).models
    assert (FIRST.nn_id, "1", "READY") in [(each.name, each.version, each.state) for each in index]


def test_bytes_and_typed_contents_have_the_same_answer(stub: Any) -> None:
    raw = stub.ModelInfer(raw_request(FIRST.nn_id, {"numbers": ROWS}, id="mine"))
    request = messages.ModelInferRequest(model_name=FIRST.nn_id, model_version="1")
    contents = {"fp32_contents": ROWS.ravel().tolist()}
    request.inputs.add(name="numbers", datatype="FP32", shape=ROWS.shape, contents=contents)
    typed = stub.ModelInfer(request)

    expected = FIRST.answers(ROWS)
    assert (raw.id, raw.model_name, raw.model_version) == ("mine", FIRST.nn_id, "1")
    assert np.abs(outputs_of(raw)["sum"][:, 0] - expected).max() <= TOLERANCE
    assert np.abs(np.array(typed.outputs[0].contents.fp32_contents) - expected).max() <= TOLERANCE
    assert not typed.raw_output_contents


def test_texts_go_in_and_come_out(stub: Any) -> None:
    lookup = chain(Input((1,), dtype="string"), layers.StringLookup(vocabulary=WORDS, output_mode="int"))
    back = chain(Input((2,), dtype="int64"), layers.StringLookup(vocabulary=WORDS, invert=True))
    load(stub, "lookup", file_of(lookup))
    load(stub, "words", file_of(back))

    (numbers,) = infer(stub, "lookup", **{input_of(stub, "lookup"): np.array([["cat"], ["bird"]], object)}).values()
    (texts,) = infer(stub, "words", **{input_of(stub, "words"): np.array([[1, 2]])}).values()

    assert numbers.ravel().tolist() == [1, 3]
    assert texts.tolist() == [WORDS[:2]]


def test_several_inputs_and_outputs_are_named(stub: Any) -> None:
    first, second = Input((2,), name="first"), Input((3,), name="second")
    model = Model([first, second], {"a": layers.Add(name="a")([first, first]), "b": layers.ReLU(name="b")(second)})
    load(stub, "several", file_of(model))

    outputs = infer(stub, "several", second=np.full((3, 3), -1, np.float32), first=ROWS)
    wanted = raw_request("several", {"first": ROWS, "second": np.ones((3, 3), np.float32)})
    wanted.outputs.add(name="b")

    assert np.abs(outputs["a"] - 2 * ROWS).max() <= TOLERANCE
    assert not outputs["b"].any()
    assert list(outputs_of(stub.ModelInfer(wanted))) == ["b"]


def test_what_cannot_be_answered_has_a_code_and_a_reason(stub: Any) -> None:
    with refused(StatusCode.NOT_FOUND, "there is no network nobody"):
        infer(stub, "nobody", numbers=ROWS)
    with refused(StatusCode.NOT_FOUND, "has no version 9"):
        stub.ModelInfer(raw_request(FIRST.nn_id, {"numbers": ROWS}, model_version="9"))
    with refused(StatusCode.INVALID_ARGUMENT, "takes rows of shape (2,), got (3,)"):
        infer(stub, FIRST.nn_id, numbers=np.ones((1, 3), np.float32))
    with refused(StatusCode.INVALID_ARGUMENT, "must have 1 parts"):
        request = raw_request(FIRST.nn_id, {"numbers": ROWS})
        request.raw_input_contents.append(b"")
        stub.ModelInfer(request)
    with refused(StatusCode.RESOURCE_EXHAUSTED, "larger than max"):
        infer(stub, FIRST.nn_id, numbers=np.ones((1_100_000, 2), np.float32))
    with refused(StatusCode.INVALID_ARGUMENT, "is not base64"):
        load(stub, "broken", b"no weights")
    with refused(StatusCode.FAILED_PRECONDITION, "cannot be read"):
        load(stub, "broken", b"\x89HDF\r\n\x1a\n and no more")


def test_what_unpacks_to_more_than_may_be_is_refused(address: str) -> None:
    with grpc.insecure_channel(address, compression=grpc.Compression.Gzip) as channel:
        stub = InferenceStub(channel)
        infer(stub, FIRST.nn_id, numbers=np.ones((100_000, 2), np.float32))
        with refused(StatusCode.RESOURCE_EXHAUSTED):
            infer(stub, FIRST.nn_id, numbers=np.ones((10_000_000, 2), np.float32))


def test_a_network_is_loaded_unloaded_and_loaded_again(stub: Any) -> None:
    load(stub, "mine", b64decode(SECOND.file.read_bytes()))
    assert np.abs(infer(stub, "mine", numbers=ROWS)["sum"][:, 0] - SECOND.answers(ROWS)).max() <= TOLERANCE

    stub.RepositoryModelUnload(messages.RepositoryModelUnloadRequest(model_name="mine"))
    with refused(StatusCode.NOT_FOUND, "has no active version"):
        stub.ModelReady(messages.ModelReadyRequest(name="mine"))

    stub.RepositoryModelLoad(messages.RepositoryModelLoadRequest(model_name="mine"), timeout=SECONDS)
    assert len(infer(stub, "mine", numbers=ROWS)["sum"]) == len(ROWS)


def test_64_calls_at_a_time_each_have_their_own_answer(address: str) -> None:
    rows = np.random.default_rng(2).random((64, 2)).astype(np.float32)
    expected = FIRST.answers(rows)

    async def ask_ten_times(stub: InferenceStub, number: int) -> list[Any]:
        request = raw_request(FIRST.nn_id, {"numbers": rows[number : number + 1]}, id=str(number))
        return [await stub.ModelInfer(request) for _ in range(10)]

    async def ask() -> list[list[Any]]:
        channels = [aio.insecure_channel(address, OWN_CONNECTION) for _ in range(8)]
        stubs = [InferenceStub(channel) for channel in channels]
        try:
            return await asyncio.gather(*(ask_ten_times(stubs[number % 8], number) for number in range(64)))
        finally:
            await asyncio.gather(*(channel.close() for channel in channels))

    for answer in itertools.chain(*asyncio.run(ask())):
        assert np.abs(outputs_of(answer)["sum"] - expected[int(answer.id)]).max() <= TOLERANCE


def test_health_and_reflection_are_grpcs_own(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        health = HealthStub(channel)
        for service in ("", "inference.GRPCInferenceService"):
            told = health.Check(health_pb2.HealthCheckRequest(service=service))
            assert told.status == health_pb2.HealthCheckResponse.SERVING
        with refused(StatusCode.NOT_FOUND, "there is no service 'other'"):
            health.Check(health_pb2.HealthCheckRequest(service="other"))
        watch = health.Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
        database = ProtoReflectionDescriptorDatabase(channel)
        assert "inference.GRPCInferenceService" in database.get_services()
        service = DescriptorPool(database).FindServiceByName("inference.GRPCInferenceService")
        assert "ModelInfer" in [method.name for method in service.methods]


def test_calls_are_counted_and_timed_with_their_door(system: System, stub: Any) -> None:
    infer(stub, FIRST.nn_id, numbers=ROWS)
    statistics = messages.ModelStatisticsRequest(name=FIRST.nn_id)

    def told() -> bool:
        text = requests.get(f"{system.url}/metrics", timeout=SECONDS).text
        return 'endpoint="grpc ModelInfer",method="POST",status="200"' in text

    wait_until(told, SECONDS, "/metrics has the call")
    timed = "PredictionTiming.objects.filter(door='grpc', outcome='answered').exists()"
    wait_until(lambda: bool(system.query(timed)), SECONDS, "its timing is written")
    wait_until(lambda: stub.ModelStatistics(statistics).model_stats[0].inference_count > 0, SECONDS, "it is summed up")


def test_a_client_waits_no_longer_than_it_says(system: System, stub: Any) -> None:
    pids = [worker.pid for worker in system.workers if worker.pid]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        with refused(StatusCode.DEADLINE_EXCEEDED):
            stub.ModelInfer(raw_request(FIRST.nn_id, {"numbers": ROWS}), timeout=1.0)
        patient = raw_request(FIRST.nn_id, {"numbers": ROWS})
        patient.parameters["timeout"].int64_param = 500_000
        with refused(StatusCode.DEADLINE_EXCEEDED, "no worker answered within 0.5 s"):
            stub.ModelInfer(patient, timeout=SECONDS)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    late = "PredictionTiming.objects.filter(door='grpc', outcome='timed_out').count()"
    wait_until(lambda: system.query(late) == 2, SECONDS, "both are noted as timed out")


def test_a_reload_lets_no_call_fail(system: System, address: str) -> None:
    ended = False

    async def ask_on() -> int:
        answered = 0
        async with aio.insecure_channel(address, OWN_CONNECTION) as channel:
            stub = InferenceStub(channel)
            while not ended:
                await stub.ModelInfer(raw_request(FIRST.nn_id, {"numbers": ROWS}), wait_for_ready=True, timeout=SECONDS)
                answered += 1
        return answered

    async def reload() -> list[int]:
        nonlocal ended
        asks = [asyncio.create_task(ask_on()) for _ in range(8)]
        await asyncio.sleep(1)
        before = await asyncio.to_thread(processes, system)
        os.kill(system.gateway.pid or 0, signal.SIGHUP)
        try:
            await asyncio.to_thread(
                wait_until, lambda: not processes(system) & before, 60, "new processes have taken over"
            )
        finally:
            ended = True
        return await asyncio.gather(*asks)

    assert min(asyncio.run(reload())) > 0


def processes(system: System) -> set[int]:
    """The processes of the gateway, but for gunicorn's first."""
    children = f"/proc/{system.gateway.pid}/task/{system.gateway.pid}/children"
    with open(children) as told:  # noqa: PTH123 - no file
        return {int(pid) for pid in told.read().split()}


def test_a_second_gateway_at_the_same_address_does_not_start(system: System, address: str) -> None:
    other = System(
        system.directory / "other",
        system.environment["BROKER_URL"],
        PIPELINE_GRPC_BIND=address,
        PIPELINE_DATA_DIR=system.environment["PIPELINE_DATA_DIR"],
    )
    other.gateway.start()
    try:
        wait_until(lambda: not other.gateway.alive(), SECONDS, "it has ended")
    finally:
        other.gateway.stop()
    assert f"{address} is taken by another program" in other.logs()
