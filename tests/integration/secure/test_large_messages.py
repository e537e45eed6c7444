"""A message of 100 MB, which RabbitMQ 3 lets anybody send: nobody keeps it in memory, and everybody goes on.

On a busy machine such a message takes a worker longer than its heartbeats, and it connects anew: only the batch, which
the broker then hands out again, is as large as that here.
"""

from __future__ import annotations

import pytest
from kombu import Connection, Producer

from tests.integration.secure.conftest import SecureBroker
from tests.support.memory import family, peak_bytes
from tests.support.system import System
from tests.support.waiting import wait_until
from workers.messages.protocol import PREDICT_QUEUE, SUPPLY_QUEUE

SECONDS = 120.0
BATCH_BYTES = 100 * 1024 * 1024
#: More than a process may take more meanwhile.
LARGE_BYTES = 40 * 1024 * 1024
#: What a process may take more meanwhile: what it does beside, and what is under way.
MORE_BYTES = 32 * 1024 * 1024


@pytest.mark.parametrize(
    ("exchange", "queue", "receivers", "size"),
    [
        ("", PREDICT_QUEUE, 1, BATCH_BYTES),
        ("celery.pidbox", "", 2, LARGE_BYTES),
        ("", SUPPLY_QUEUE, 1, LARGE_BYTES),
        ("gateways", "", 1, LARGE_BYTES),
    ],
    ids=["batch", "command", "question to one gateway", "question to every gateway"],
)
def test_a_huge_message_is_thrown_away_as_it_comes(
    secure: System, broker: SecureBroker, exchange: str, queue: str, receivers: int, size: int
) -> None:
    assert secure.client.predict([0.1, 0.2])["status"] is True
    logs = [secure.gateway.log, *(worker.log for worker in secure.workers)]
    pids = [pid for child in (secure.gateway, *secure.workers) if child.pid for pid in family(child.pid)]
    said = f"it has {size} bytes"
    told = sum(log.read_text().count(said) for log in logs)
    before = {pid: peak_bytes(pid, afresh=True) for pid in pids}

    with Connection(broker.node.url, transport="pyamqp") as connection:
        producer = Producer(connection.channel(), auto_declare=False)
        body = b"[" + b" " * (size - 2) + b"]"
        producer.publish(body, exchange=exchange, routing_key=queue, content_type="application/json",
                         content_encoding="utf-8", reply_to="nowhere", correlation_id="1", retry=False)  # fmt: skip

    wait_until(lambda: sum(log.read_text().count(said) for log in logs) == told + receivers, SECONDS, "all refuse it")
    assert secure.client.predict([0.1, 0.2])["status"] is True
    assert secure.workers_count() == 2
    grown = {pid: peak_bytes(pid) - before[pid] for pid in pids}
    assert max(grown.values()) < MORE_BYTES, grown
