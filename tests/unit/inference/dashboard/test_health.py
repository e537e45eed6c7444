"""The line of health: all is well, or what is wrong and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from inference.dashboard.default_network import read_default_network
from inference.dashboard.figures import Figures
from inference.dashboard.fleet_view import FleetSeen, Queue
from inference.dashboard.health import Health, judge
from inference.dashboard.problem import Level
from inference.dashboard.traffic import USUAL_RANGE, Recent, read_traffic
from inference.models import Activation, DefaultNetwork
from inference.versions import services
from inference.versions.uploads import store_version
from tests.unit.admin_samples import past
from tests.unit.samples import NN_ID, activated, worker_status
from workers.messages.protocol import GatewayStatus, WorkerStatus

pytestmark = pytest.mark.django_db
WELL = Recent(100, 0, 0.3)


def worker(name: str = "w1", number: int | None = 2) -> WorkerStatus:
    return replace(worker_status(name), nn_id=NN_ID if number else None, number=number)


def queue(held: int = 0, limit: int = 256, dropped: int = 0, silent: int = 0) -> Queue:
    return Queue((GatewayStatus("one", held, limit, dropped), GatewayStatus("two", 0, limit)), silent)


def figures(fleet: FleetSeen | None = None, recent: Recent = WELL) -> Figures:
    """What is read now, of a fleet that answers unless another is given."""
    now, default_network = timezone.now(), read_default_network()
    default = default_network.active.ref() if default_network.active else None
    seen = fleet or FleetSeen(True, queue(), (worker("w1"), worker("w2")), 0, default, now)
    return Figures(now, read_traffic(USUAL_RANGE, now), recent, default_network, replace(seen, default=default), [])


def names(health: Health) -> list[str]:
    return [problem.name for problem in health.problems]


@pytest.fixture
def active() -> None:
    """Version 2 is active; an earlier one failed."""
    activated(past()[1])


def seen(*workers: WorkerStatus, silent: int = 0, requests: Queue | None = None) -> FleetSeen:
    return FleetSeen(True, requests or queue(), workers, silent, None, timezone.now())


def test_all_is_well(active: None) -> None:
    health = judge(figures())

    assert (health.level, health.headline, health.problems) == (Level.OK, "All is well", [])
    assert health.detail == "2 workers answer with version 2; 0.30 requests a second now."


@pytest.mark.parametrize(
    ("fleet", "name", "level"),
    [
        (FleetSeen(False, queue()), "no-broker", Level.BAD),
        (FleetSeen(True, queue()), "unknown-workers", Level.BAD),
        (seen(), "no-worker", Level.BAD),
        (seen(silent=2), "silent-workers", Level.BAD),
        (seen(worker(), silent=1), "silent-workers", Level.WARN),
        (seen(worker(), worker("w2", 1)), "version-skew", Level.WARN),
        (seen(worker(), worker("w2", None)), "version-skew", Level.WARN),
        (seen(worker(), requests=queue(205)), "queue", Level.WARN),
        (seen(worker(), requests=queue(256)), "queue", Level.BAD),
        (seen(worker(), requests=queue(dropped=3)), "timings-dropped", Level.WARN),
        (seen(worker(), requests=queue(silent=1)), "silent-gateways", Level.WARN),
    ],
)
def test_what_is_wrong_with_the_fleet_is_said(fleet: FleetSeen, name: str, level: Level, active: None) -> None:
    health = judge(figures(fleet))

    assert (names(health), health.level) == ([name], level)
    assert health.headline == health.problems[0].what
    assert health.problems[0].to_do


def test_workers_of_other_programs_are_told_apart(active: None) -> None:
    details = worker().details
    assert details
    other = replace(worker("w2"), details=replace(details, programs=details.programs | {"keras": "3.0.0"}))

    assert names(judge(figures(seen(worker(), other)))) == ["mixed-fleet"]


@pytest.mark.parametrize(
    ("errors", "level"), [(0, Level.OK), (9, Level.OK), (10, Level.WARN), (49, Level.WARN), (50, Level.BAD)]
)
def test_errors_are_judged_by_their_share(errors: int, level: Level, active: None) -> None:
    assert judge(figures(recent=Recent(1000, errors, 3.0))).level == level


def test_without_a_network_nothing_is_wrong_yet() -> None:
    health = judge(figures())

    assert (health.level, names(health)) == (Level.START, ["no-network"])


def test_a_network_that_never_became_active_is_no_default(active: None) -> None:
    Activation.objects.all().delete()
    DefaultNetwork.objects.all().delete()

    assert names(judge(figures(seen(worker())))) == ["no-default"]


@pytest.mark.parametrize("outcome", ["failed", "no_workers", "unavailable"])
def test_a_last_switch_that_failed_is_told_for_a_day(outcome: str) -> None:
    past()
    Activation.objects.filter(pk=Activation.objects.latest("id").pk).update(outcome=outcome)

    health = judge(figures())
    Activation.objects.update(started_at=timezone.now() - timedelta(days=2))

    assert names(health) == ["failed-switch"]
    assert outcome in health.headline
    assert judge(figures()).level == Level.OK


def test_while_a_switch_runs_no_version_is_a_wrong_one(active: None) -> None:
    services.begin(store_version(NN_ID, "next.h5", b"next", b"{}"), Activation.Kind.UPLOAD, "somebody")

    assert judge(figures(seen(worker("w1", 1), worker("w2", 2)))).level == Level.OK


def test_the_worst_stands_first_and_several_are_counted(active: None) -> None:
    health = judge(figures(seen(worker(), silent=1, requests=queue(256)), Recent(100, 2, 1.0)))

    assert names(health) == ["queue", "silent-workers", "errors"]
    assert health.headline == "3 things need your attention"


def test_many_workers_are_not_all_named(active: None) -> None:
    health = judge(figures(seen(*(worker(f"w{number}", 1) for number in range(50)))))

    assert health.headline.startswith("w0, w1, w2 and 47 more have not loaded version 2")
