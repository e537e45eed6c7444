"""A batch that came back twice rests once, so that not all workers die of it at the same time."""

from __future__ import annotations

import threading

import pytest

from tests.support.waiting import wait_until
from tests.unit.redeliveries import SOON_SECONDS, Broker, came_back, handle, resting
from workers.consuming import redelivery as redelivery_module
from workers.consuming.redelivery import HEADER, RESTS
from workers.worker import Worker


def test_one_that_came_back_again_is_to_rest_so_that_not_all_workers_die_of_it(worker: Worker, broker: Broker) -> None:
    handle(worker, came_back(broker, 1))
    sent = broker.take("predict")
    assert sent is not None
    assert (sent.headers[HEADER], sent.headers[RESTS]) == (2, True)
    assert float(sent.properties["expiration"]) == 30_000


def test_one_that_is_to_rest_does_and_goes_on(worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redelivery_module, "REST_SECONDS", 0.05)
    handle(worker, resting(broker))
    sent = broker.take("predict")
    assert sent is not None
    assert (sent.headers[HEADER], RESTS in sent.headers) == (2, False)
    assert 29_950 <= float(sent.properties["expiration"]) <= 29_980


def test_one_that_rested_in_a_worker_that_has_gone_rests_no_more_and_is_not_counted(
    worker: Worker, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivery_module, "REST_SECONDS", 10 * SOON_SECONDS)
    again = resting(broker)
    again.delivery_info["redelivered"] = True
    handle(worker, again)
    sent = broker.take("predict")
    assert sent is not None
    assert (sent.headers[HEADER], RESTS in sent.headers) == (2, False)
    assert float(sent.properties["expiration"]) == 30_000


def test_what_rests_together_goes_on_apart(worker: Worker) -> None:
    for _ in range(20):
        worker.consuming.redelivery._going_on.clear()
        poison, innocent = (
            worker.consuming.redelivery._rest_seconds(None),
            worker.consuming.redelivery._rest_seconds(30_000.0),
        )
        assert 2.0 <= min(poison, innocent) <= max(poison, innocent) <= 5.0
        assert abs(poison - innocent) > 0.5


def test_what_rests_goes_back_to_the_broker_when_the_worker_stops(worker: Worker, broker: Broker) -> None:
    done = threading.Event()
    worker.consuming.redelivery.take(resting(broker), done.set, done.set)
    worker.consuming.redelivery.stop()
    worker.consuming.redelivery._threads.shutdown(wait=True)
    assert not done.is_set()
    assert broker.take("predict") is None


def test_what_rests_counts_among_what_the_worker_has_at_hand(worker: Worker, broker: Broker) -> None:
    done = threading.Event()
    worker.consuming.redelivery.take(resting(broker), done.set, done.set)
    assert worker.consuming.prefetch._held == 1
    worker.consuming.redelivery.stop()
    wait_until(lambda: worker.consuming.prefetch._held == 0, SOON_SECONDS, "it is at hand no more")
    assert not done.is_set()
