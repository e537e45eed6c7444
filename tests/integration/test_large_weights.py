"""A network of 200 MB goes to three workers over RabbitMQ while others predict with a small one.

It costs half a minute and some 4 GB of memory.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from numpy.typing import NDArray

from inference.client.http_client import PipelineClient
from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.celery_client import PREDICT_QUEUE, celery_client
from tests.support.large_network import LARGE_NN_ID, rows, save_large_network
from tests.support.memory import PeakMemory, family
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until
from workers.messages.arrays import to_array, to_tensor
from workers.messages.protocol import PREDICT_TASK, PredictBatch, PredictReply, VersionRef
from workers.messages.tensors import ONLY_INPUT, TENSORS_BYTES_MAX

WORKERS = 3
CLIENTS = 8
MEGABYTES = 200
#: What both gateway processes together may take more while the network passes through them.
GATEWAY_GROWTH_MB = 128
#: What one download's pieces may take on their way to the client, with what the database and the allocator keep.
MEGABYTES_A_DOWNLOAD = 40
SMALL_UPLOAD = b"A" * 50_000_000


@pytest.fixture(scope="module")
def system(rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Three workers and two gateway processes, whose first network is the first sample."""
    made = System(tmp_path_factory.mktemp("large"), rabbitmq.url, PIPELINE_LOAD_TIMEOUT="150")
    for system in running(made, WORKERS):
        system.client.timeout_seconds = 200.0
        sample = samples()[0]
        assert system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())["status"] is True
        yield system


def test_a_large_network_reaches_every_worker_while_small_predictions_flow(system: System, tmp_path: Path) -> None:
    file = tmp_path / "large.keras"
    wanted = save_large_network(file, MEGABYTES)
    sample, vector = samples()[0], np.array([[0.25, 0.5]], np.float32)
    small, large = sample.answers(vector)[0], None
    ended, wrong, answered = threading.Event(), [], [0] * CLIENTS

    def predict(number: int) -> None:
        client = PipelineClient(system.url, 60.0)
        while not ended.wait(0.01):
            answer = client.predict(vector[0].tolist())
            answered[number] += 1
            right = {sample.nn_id: pytest.approx(small, abs=1e-6), LARGE_NN_ID: answer["result"]}
            if answer["status"] is not True or answer["result"] != right.get(answer["message"]):
                wrong.append(answer)

    threads = [threading.Thread(target=predict, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    memory = PeakMemory(gateway=lambda: family(system.gateway.pid or 0))
    try:
        with memory, file.open("rb") as opened:
            large = system.client.set_weights(LARGE_NN_ID, file.name, opened)
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)

    assert (large["status"], large["workers_count"]) == (True, WORKERS), large
    assert wrong == []
    assert min(answered) > 0
    assert memory.peak["gateway"] - memory.before["gateway"] < GATEWAY_GROWTH_MB, (memory.before, memory.peak)
    outputs = outputs_by_worker(system)
    assert len(outputs) == WORKERS
    for worker, output in outputs.items():
        assert np.allclose(output, wanted, rtol=1e-4, atol=1e-5), (worker, output, wanted)


def test_clients_that_read_it_slowly_hold_little_of_it_in_memory(system: System, tmp_path: Path) -> None:
    file, nn_id = tmp_path / "large.keras", "cafe" * 8
    save_large_network(file, MEGABYTES // 4)
    with file.open("rb") as opened:
        answer = system.client.set_weights(nn_id, file.name, opened)
    assert answer["status"] is True, answer
    address, wanted = f"{system.url}/networks/{nn_id}/versions/{answer['version']}/weights", file.read_bytes()
    requests.get(address, timeout=60)
    memory = PeakMemory(gateway=lambda: family(system.gateway.pid or 0))

    with memory, ExitStack() as open_answers:
        answers = [
            open_answers.enter_context(requests.get(address, stream=True, timeout=60)) for _ in range(2 * CLIENTS)
        ]
        downloads = [answer.iter_content(1_000_000) for answer in answers]
        begun = [next(each) for each in downloads]
        wait_until(lambda: system.client.predict([0.1, 0.2])["status"], 30, "others are answered")
        for first, rest in zip(begun, downloads, strict=True):
            assert first + b"".join(rest) == wanted

    grown = memory.peak["gateway"] - memory.before["gateway"]
    assert grown < 2 * CLIENTS * MEGABYTES_A_DOWNLOAD, (memory.before, memory.peak)


def outputs_by_worker(system: System) -> dict[str, NDArray[Any]]:
    """What each worker answers to `rows()` with the default network, asked until all have answered."""
    version = system.query("DefaultNetwork.objects.get().network.active.ref().to_json()")
    message = PredictBatch(VersionRef.from_json(version), {ONLY_INPUT: to_tensor(rows())}, [len(rows())]).to_json()
    outputs: dict[str, NDArray[Any]] = {}

    def send() -> Any:  # as a gateway does
        return app.send_task(PREDICT_TASK, [message], queue=PREDICT_QUEUE, serializer="msgpack")

    def ask() -> bool:
        reply = PredictReply.from_json(send().get(timeout=30))
        outputs[reply.worker] = to_array(next(iter(reply.outputs.values())))
        return len(outputs) == WORKERS

    with celery_client(system.environment["BROKER_URL"]) as app:
        app.conf.accept_content = ["json", "msgpack"]
        wait_until(ask, 30, "every worker has answered")
    return outputs


def test_the_largest_request_is_a_message_that_the_broker_takes(system: System) -> None:
    sample, vector = samples()[0], [0.5, 1]
    rows_count = TENSORS_BYTES_MAX // np.array(vector).nbytes
    assert system.client.set_weights(sample.nn_id, sample.file.name, sample.file.read_bytes())["status"] is True

    answer = system.client.predict(data=[vector] * rows_count)

    assert (answer["status"], len(answer["result"])) == (True, rows_count)
    assert np.abs(np.array(answer["result"]) - sample.answers(np.array([vector]))[0]).max() <= 1e-6


def test_an_upload_that_breaks_off_leaves_nothing(system: System) -> None:
    before = system.query("[Version.objects.count(), StoredFile.objects.count()]")
    address = urlsplit(system.url)
    head = (
        '--x\r\nContent-Disposition: form-data; name="nn_id"\r\n\r\n' + "1" * 32 + "\r\n--x\r\nContent-Disposition: "
        'form-data; name="data"; filename="w.b64"\r\nContent-Type: application/octet-stream\r\n\r\n'
    ).encode()
    length = len(head) + 2 * len(SMALL_UPLOAD)
    request = f"PUT /set_weights HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {length}\r\n"
    request += "Content-Type: multipart/form-data; boundary=x\r\n\r\n"

    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall(request.encode() + head + SMALL_UPLOAD)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b'"status":false' in answer
    assert f"{len(SMALL_UPLOAD)} bytes are missing".encode() in answer
    assert system.query("[Version.objects.count(), StoredFile.objects.count()]") == before
    assert list((system.directory / "var" / "uploads").iterdir()) == []
