"""The queue `predict` takes so many batches and refuses more, on a real RabbitMQ, whatever was declared before."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from amqp.exceptions import PreconditionFailed
from kombu import Connection

from inference.supervision.rabbitmq import PrivateNode
from tests.support.system import System
from workers.broker.queues import PREDICT, QUEUE_BATCHES_MAX
from workers.messages.protocol import PREDICT_QUEUE

REQUEST_SECONDS = 4.0
#: How soon a refusal is there, on a busy machine.
AT_ONCE_SECONDS = 2.0
BATCHES_MAX = 3
REQUESTS = 12


@pytest.fixture
def broker(rabbitmq: PrivateNode) -> Iterator[Connection]:
    """A connection to the broker, on which there is no queue `predict` before the test, nor after it."""
    with Connection(rabbitmq.url) as connection:
        connection.default_channel.queue_delete(PREDICT_QUEUE)
        yield connection
        connection.channel().queue_delete(PREDICT_QUEUE)


def declare(broker: Connection, **arguments: object) -> None:
    broker.channel().queue_declare(PREDICT_QUEUE, durable=True, auto_delete=False, arguments=arguments)


def put_something(broker: Connection) -> None:
    """A message that no worker can read, and that does not expire."""
    broker.Producer().publish("?", routing_key=PREDICT_QUEUE, serializer="json")


def gateway_log(system: System) -> str:
    return (system.directory / "log" / "gateway.log").read_text()


def test_an_earlier_releases_queue_that_nobody_uses_is_declared_anew(broker: Connection) -> None:
    declare(broker)
    PREDICT(broker.channel()).queue_declare()

    with pytest.raises(PreconditionFailed, match="x-max-length"):
        declare(broker)
    declare(broker, **PREDICT.queue_arguments)
    assert PREDICT.queue_arguments["x-max-length"] == QUEUE_BATCHES_MAX


def test_one_in_use_is_used_as_it_is_and_one_line_says_what_to_do(
    broker: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    declare(broker)
    put_something(broker)
    for _ in range(3):
        assert PREDICT(broker.channel()).queue_declare().message_count == 1

    [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "x-max-length" in line
    assert "Stop all gateways and workers" in line
    declare(broker)


def test_a_queue_in_use_stays_and_what_it_refuses_is_answered_503_at_once_by_every_gateway(
    rabbitmq: PrivateNode, broker: Connection, directory: Path
) -> None:
    declare(broker, **{"x-max-length": BATCHES_MAX, "x-overflow": "reject-publish"})
    put_something(broker)
    system = System(directory, rabbitmq.url, PIPELINE_REQUEST_TIMEOUT=str(REQUEST_SECONDS))
    try:
        system.start(workers=1).load_first_sample()
        another = system.add_gateway()
        assert another.predict([0.3, 0.7])["status"] is True
        system.workers[0].stop()
        put_something(broker)

        def ask(number: int) -> tuple[int, bool, float]:
            # Rows of different lengths travel in different batches.
            url, began = (system.url, another.url)[number % 2], time.monotonic()
            answer = requests.post(f"{url}/predict", json={"vector": [0.5] * (3 + number)}, timeout=60)
            return answer.status_code, "Retry-After" in answer.headers, time.monotonic() - began

        with ThreadPoolExecutor(REQUESTS) as pool:
            answers = list(pool.map(ask, range(REQUESTS)))
        held = broker.channel().queue_declare(PREDICT_QUEUE, passive=True).message_count
        refused = [answer for answer in answers if answer[0] == 503]
        waited_for = [answer for answer in answers if answer[0] == 504]

        assert len(refused) == REQUESTS - (BATCHES_MAX - 1), answers
        assert len(waited_for) == BATCHES_MAX - 1, answers
        assert all(can_retry and seconds < AT_ONCE_SECONDS for _, can_retry, seconds in refused), answers
        assert held <= BATCHES_MAX
        assert gateway_log(system).count("Stop all gateways and workers") <= 2, "more than once a process"
        assert "x-max-length" in gateway_log(system)
    finally:
        system.stop()
