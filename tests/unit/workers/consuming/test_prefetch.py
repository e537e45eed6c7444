"""How many batches a worker takes: as many as it computes, and others while some wait for their network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from celery.bootsteps import CLOSE, RUN
from celery.worker.state import reserved_requests

from workers.consuming.pool import BATCHES_MAX, Pool
from workers.consuming.prefetch import Prefetch

CONCURRENCY = 2


class PretendedChannel:
    """Notes the prefetch that consumers get, and who consumes."""

    is_open = True

    def __init__(self) -> None:
        self.prefetches: list[tuple[int, bool]] = []
        self.consuming: list[PretendedTaskConsumer] = []

    def basic_qos(self, prefetch_size: int, prefetch_count: int, apply_global: bool) -> None:
        self.prefetches.append((prefetch_count, apply_global))


class PretendedTaskConsumer:
    """Consumes from the queue, or not."""

    def __init__(self, channel: PretendedChannel, **_: Any) -> None:
        self._channel = channel
        self.on_message: Callable[[Any], None] | None = None

    def consume(self) -> None:
        self._channel.consuming.append(self)

    def cancel(self) -> None:
        assert len(self._channel.consuming) > 1, "a gateway would count one worker too few"
        self._channel.consuming.remove(self)


class PretendedHub:
    """Celery's main loop, one step at a time."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []
        self.later: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[..., None], *arguments: Any) -> None:
        self.soon.append(lambda: call(*arguments))

    def call_later(self, _: float, call: Callable[..., None], *arguments: Any) -> None:
        self.later.append(lambda: call(*arguments))

    def step(self) -> None:
        due, self.soon = self.soon, []
        for call in due:
            call()

    def time_passes(self) -> None:
        self.soon, self.later = self.soon + self.later, []
        self.step()


class Consumer:
    """What the prefetch needs of Celery's consumer."""

    def __init__(self, hub: PretendedHub | None, qos_global: bool = False) -> None:
        self.channel = PretendedChannel()
        self.connection = SimpleNamespace(default_channel=self.channel)
        self.hub = hub
        self.qos_global = qos_global
        self.qos: Any = None
        self.initial_prefetch_count = CONCURRENCY
        self.pool = SimpleNamespace(limit=CONCURRENCY)
        self.blueprint = SimpleNamespace(state=RUN)
        self.app = SimpleNamespace(amqp=SimpleNamespace(TaskConsumer=PretendedTaskConsumer))
        self.on_decode_error = None
        self.task_consumer = PretendedTaskConsumer(self.channel)
        self.task_consumer.on_message = print
        self.task_consumer.consume()


@pytest.fixture
def hub() -> PretendedHub:
    return PretendedHub()


@pytest.fixture
def consumer(hub: PretendedHub) -> Consumer:
    return Consumer(hub)


@pytest.fixture
def prefetch(consumer: Consumer) -> Prefetch:
    prefetch = Prefetch()
    prefetch.follow(consumer)
    return prefetch


@pytest.fixture
def at_hand() -> Iterator[list[Any]]:
    """As many batches as there is room for, taken by this worker."""

    class Batch:
        pass

    batches = [Batch() for _ in range(BATCHES_MAX)]
    reserved_requests.update(batches)
    yield batches
    reserved_requests.clear()


def test_a_worker_that_has_not_connected_lets_batches_wait_all_the_same() -> None:
    with Prefetch().waiting():
        pass


@pytest.mark.parametrize(("qos_global", "expected"), [(False, [(2, False)]), (True, [(0, True), (2, False)])])
def test_the_broker_is_told_to_count_for_each_consumer(
    qos_global: bool, expected: list[tuple[int, bool]], hub: PretendedHub
) -> None:
    consumer = Consumer(hub, qos_global)

    Prefetch().follow(consumer)

    assert consumer.channel.prefetches == expected
    assert consumer.qos.prev == consumer.qos.value == CONCURRENCY  # Celery's loop finds nothing to change
    assert consumer.qos_global is False


def test_as_many_batches_compute_at_once_as_celery_has_threads_for(prefetch: Prefetch) -> None:
    taken = [prefetch.slots.acquire(blocking=False) for _ in range(CONCURRENCY + 1)]

    assert taken == [True, True, False]


def test_slots_that_batches_hold_stay_taken_after_a_reconnect(prefetch: Prefetch, hub: PretendedHub) -> None:
    prefetch.slots.acquire()

    prefetch.follow(Consumer(hub))

    assert [prefetch.slots.acquire(blocking=False) for _ in range(2)] == [True, False]


def test_a_batch_that_waits_lets_the_worker_consume_afresh(
    prefetch: Prefetch, consumer: Consumer, hub: PretendedHub
) -> None:
    before = consumer.task_consumer
    with prefetch.waiting():
        assert consumer.task_consumer is before  # only the main thread speaks to the broker
        hub.step()
        assert consumer.channel.consuming == [consumer.task_consumer]
        assert consumer.task_consumer is not before
        assert consumer.task_consumer.on_message is print


def test_batches_that_begin_to_wait_together_let_it_consume_afresh_once(
    prefetch: Prefetch, consumer: Consumer, hub: PretendedHub
) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(prefetch.waiting())
        assert len(hub.soon) == 1
        hub.step()
        stack.enter_context(prefetch.waiting())
        assert len(hub.soon) == 1


def test_when_nobody_waits_any_more_all_stays_as_it_is(
    prefetch: Prefetch, consumer: Consumer, hub: PretendedHub
) -> None:
    before = consumer.task_consumer
    with prefetch.waiting():
        pass
    hub.step()

    assert consumer.task_consumer is before


def test_beyond_the_room_batches_wait_in_the_queue_until_there_is_room(
    prefetch: Prefetch, consumer: Consumer, hub: PretendedHub, at_hand: list[Any]
) -> None:
    before = consumer.task_consumer
    with prefetch.waiting():
        hub.step()
        hub.time_passes()
        with prefetch.waiting():
            hub.step()
        assert consumer.task_consumer is before
        at_hand.pop()
        hub.time_passes()
        assert consumer.task_consumer is not before
        assert not hub.later


def test_batches_that_celery_does_not_count_take_room_as_well(
    prefetch: Prefetch, consumer: Consumer, hub: PretendedHub, at_hand: list[Any]
) -> None:
    before = consumer.task_consumer
    at_hand.pop()
    prefetch.hold(1)
    with prefetch.waiting():
        hub.step()
        assert consumer.task_consumer is before
        prefetch.hold(-1)
        hub.time_passes()
        assert consumer.task_consumer is not before


@pytest.mark.parametrize("ended", ["stopping", "disconnected", "reconnected"])
def test_a_worker_that_stops_or_lost_its_connection_takes_no_more(
    ended: str, prefetch: Prefetch, consumer: Consumer, hub: PretendedHub
) -> None:
    before = consumer.task_consumer
    with prefetch.waiting():
        if ended == "stopping":
            consumer.blueprint.state = CLOSE
        elif ended == "disconnected":
            consumer.channel.is_open = False
        else:
            prefetch.follow(Consumer(hub))
        hub.step()

    assert consumer.task_consumer is before


def test_after_a_reconnect_a_batch_that_waits_is_noticed_again(prefetch: Prefetch, hub: PretendedHub) -> None:
    with prefetch.waiting():
        again = Consumer(hub)
        prefetch.follow(again)
        before = again.task_consumer
        with prefetch.waiting():
            hub.step()
            assert again.task_consumer is not before


def test_the_in_process_broker_is_told_at_once_and_no_more_than_there_is_room() -> None:
    consumer, prefetch = Consumer(hub=None), Prefetch()
    prefetch.follow(consumer)
    with ExitStack() as stack:
        for _ in range(BATCHES_MAX + 5):
            stack.enter_context(prefetch.waiting())
        assert consumer.channel.prefetches[1] == (CONCURRENCY + 1, False)
        assert consumer.channel.prefetches[-1] == (CONCURRENCY + BATCHES_MAX, False)

    assert consumer.channel.prefetches[-1] == (CONCURRENCY, False)


def test_the_pool_has_a_thread_for_every_batch_that_a_worker_takes() -> None:
    pool = Pool(CONCURRENCY)
    pool.start()
    count = BATCHES_MAX + CONCURRENCY
    together, failures = threading.Barrier(count + 1), []

    def meet() -> None:
        try:
            together.wait(10)
        except threading.BrokenBarrierError as error:
            failures.append(error)

    for _ in range(count):
        pool.apply_async(meet, callback=lambda _: None)
    together.wait(10)
    pool.stop()

    assert failures == []
    assert pool.num_processes == CONCURRENCY  # from which Celery takes the prefetch
