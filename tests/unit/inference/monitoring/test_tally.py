"""What a process has counted."""

from __future__ import annotations

from inference.monitoring import catalogue
from inference.monitoring.catalogue import CATALOGUE, Metric
from inference.monitoring.tally import Tally, dump, load

SWITCHES, SECONDS = catalogue.SWITCHES, catalogue.BATCH_REQUESTS


def observed(*values: float) -> list[float]:
    tally = Tally()
    tally.observe(SECONDS, values)
    return tally.histograms[SECONDS.name, ()].tolist()


def test_counters_add_up_by_their_labels() -> None:
    tally = Tally()
    for kind, amount in (("upload", 1), ("upload", 2), ("rollback", 5)):
        tally.add(SWITCHES, amount, kind, "activated")

    assert tally.numbers == {
        (SWITCHES.name, ("upload", "activated")): 3,
        (SWITCHES.name, ("rollback", "activated")): 5,
    }


def test_a_value_on_a_bound_belongs_to_its_bucket_as_prometheus_has_it() -> None:
    assert SECONDS.bounds[:4] == (1, 2, 4, 8)

    assert observed(0.5, 1, 1.5, 2, 3)[:4] == [2, 2, 1, 0]


def test_what_is_beyond_the_last_bound_is_counted_and_summed() -> None:
    *buckets, total = observed(5000, 1)

    assert (buckets[0], buckets[-1], total) == (1, 1, 5001)


def test_nothing_observed_is_an_empty_histogram() -> None:
    assert sum(observed()) == 0


def test_a_tally_and_gauges_are_what_they_were_after_a_dump() -> None:
    tally = Tally()
    tally.add(SWITCHES, 2.5, "upload", 'a "quoted" name')
    tally.observe(SECONDS, [3, 4])

    again, gauges = load(dump(tally, {catalogue.REQUESTS_HELD: 7}))

    assert again.numbers == tally.numbers
    assert again.histograms[SECONDS.name, ()].tolist() == tally.histograms[SECONDS.name, ()].tolist()
    assert gauges == {catalogue.REQUESTS_HELD.name: 7}


def test_nothing_dumped_is_nothing_counted() -> None:
    tally, gauges = load(b"")

    assert (tally.numbers, tally.histograms, gauges) == ({}, {}, {})


def test_what_two_processes_counted_adds_up() -> None:
    one, other = Tally(), Tally()
    for tally, count in ((one, 1), (other, 2)):
        tally.add(SWITCHES, count, "upload", "failed")
        tally.observe(SECONDS, [1] * count)
    other.add(SWITCHES, 4, "rollback", "failed")

    one.include(other)

    assert list(one.numbers.values()) == [3, 4]
    assert one.histograms[SECONDS.name, ()][0] == 3


def test_a_metric_of_another_version_is_left_out() -> None:
    tally = Tally()
    tally.add(Metric("counter", "pipeline_of_tomorrow_total", ""), 1)

    assert not load(dump(tally, {}))[0].numbers


def test_every_metric_says_what_it_is_and_has_a_name_of_its_kind() -> None:
    for metric in CATALOGUE.values():
        assert metric.help
        assert metric.name.startswith("pipeline_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert bool(metric.bounds) == (metric.kind == "histogram")
        assert list(metric.bounds) == sorted(set(metric.bounds))
