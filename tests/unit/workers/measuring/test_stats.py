"""What a worker remembers of its requests."""

from __future__ import annotations

import threading

from workers.measuring.stats import REMEMBERED_REQUESTS, Averages, RequestStats


def test_before_the_first_request_everything_is_zero() -> None:
    assert RequestStats().averages() == Averages(0.0, 0.0, 0)


def test_each_request_of_a_batch_took_as_long_as_the_batch() -> None:
    stats = RequestStats()

    stats.add(3, 4.0, 2.0)
    stats.add(1, 8.0, 6.0)

    assert stats.averages() == Averages(5.0, 3.0, 4)


def test_the_averages_are_over_the_last_hundred_requests_and_the_count_is_of_all() -> None:
    stats = RequestStats()
    for _ in range(500):
        stats.add(1, 1000.0, 1000.0)
    for _ in range(REMEMBERED_REQUESTS):
        stats.add(1, 2.0, 1.0)

    assert stats.averages() == Averages(2.0, 1.0, 600)


def test_a_batch_of_more_than_a_hundred_requests_counts_wholly() -> None:
    stats = RequestStats()

    stats.add(4096, 2.0, 1.0)

    assert stats.averages() == Averages(2.0, 1.0, 4096)


def test_no_request_is_lost_between_threads() -> None:
    stats = RequestStats()
    threads = [threading.Thread(target=lambda: [stats.add(1, 1.0, 1.0) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert stats.averages() == Averages(1.0, 1.0, 4000)
