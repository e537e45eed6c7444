"""How many batches a gateway process has on their way."""

from __future__ import annotations

import pytest
from kombu import Queue

from inference.dispatch import flight_limit as limit_module
from inference.dispatch.flight_limit import FlightLimit
from inference.errors import BrokerUnavailableError
from workers.messages.protocol import PREDICT_QUEUE, SUPPLY_QUEUE


class Broker:
    """Counts its consumers as it was told to, or cannot be reached."""

    def __init__(self, workers: int, gateways: int) -> None:
        self.consumers = {PREDICT_QUEUE: workers, SUPPLY_QUEUE: gateways}
        self.away = False
        self.asked = 0

    def count(self, queue: Queue) -> int:
        self.asked += 1
        if self.away:
            raise BrokerUnavailableError("away")
        return self.consumers[queue.name]


@pytest.mark.parametrize(
    ("workers", "gateways", "batches"), [(0, 1, 1), (1, 1, 2), (1, 2, 1), (2, 2, 2), (3, 2, 3), (1, 8, 1), (4, 0, 8)]
)
def test_two_batches_a_worker_are_shared_among_the_gateways(workers: int, gateways: int, batches: int) -> None:
    limit = FlightLimit(Broker(workers, gateways).count)
    limit.follow()

    assert limit.batches == batches


def test_before_anything_is_counted_one_batch_may_go() -> None:
    assert FlightLimit(Broker(5, 1).count).batches == 1


def test_the_fleet_is_not_counted_for_every_batch() -> None:
    broker = Broker(1, 1)
    limit = FlightLimit(broker.count)
    for _ in range(100):
        limit.follow()

    assert broker.asked == 2


def test_it_follows_the_fleet_and_stays_while_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit_module, "COUNT_SECONDS", 0.0)
    broker = Broker(1, 1)
    limit = FlightLimit(broker.count)
    limit.follow()
    broker.consumers[PREDICT_QUEUE] = 3
    limit.follow()
    assert limit.batches == 6

    broker.away = True
    limit.follow()
    assert limit.batches == 6
