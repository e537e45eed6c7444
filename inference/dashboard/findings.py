"""Looks through the figures for what is not well: with the fleet, with the requests, with the switches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse

from inference.dashboard.figures import Figures
from inference.dashboard.fleet_view import NEAR_LIMIT
from inference.dashboard.problem import Level, Problem
from inference.dashboard.traffic import RECENT_MINUTES
from inference.models import Activation
from workers.settings import settings as shared_settings

#: The limit of docs/monitoring/alerts.yml, and one below.
ERRORS_ARE_MANY, ERRORS_ARE_SOME = 0.05, 0.01
#: A switch that failed is told of for so long.
FAILURE_TOLD = timedelta(days=1)
NAMED_MAX = 3


def problems(figures: Figures) -> list[Problem]:
    """All that is not well, the worst first."""
    found = [*_of_fleet(figures), *_of_requests(figures), *_of_switches(figures)]
    return sorted(found, key=lambda problem: -problem.level)


def level_of_errors(errors: int, count: int) -> Level:
    """How bad it is that so many of some requests were not answered."""
    share = errors / count if count else 0.0
    return Level.BAD if share >= ERRORS_ARE_MANY else Level.WARN if share >= ERRORS_ARE_SOME else Level.OK


def _of_fleet(figures: Figures) -> Iterator[Problem]:
    fleet, workers_page = figures.fleet, reverse("admin:workers")
    if not fleet.connected:
        to_do = (
            "The worker of this process is still starting, or has stopped: see its log."
            if shared_settings().embedded
            else "See that RabbitMQ runs and that BROKER_URL names it. Requests wait until it is back, or time out."
        )
        yield Problem("no-broker", Level.BAD, "The broker cannot be reached", to_do)
    elif fleet.at is None:
        yield Problem(
            "unknown-workers", Level.BAD, "The workers have not answered", "See that the broker still answers, and "
            "look into the workers' logs.", workers_page, "Workers",
        )  # fmt: skip
    elif fleet.count == 0:
        yield Problem(
            "no-worker", Level.BAD, "No worker is connected: predictions time out",
            "Start one: celery -A workers worker, with the gateway's BROKER_URL.", workers_page, "Workers",
        )  # fmt: skip
    elif not fleet.workers:
        yield Problem(
            "silent-workers", Level.BAD, f"None of {fleet.count} connected workers answers",
            "Look into their logs; start them again when they hang.", workers_page, "Workers",
        )  # fmt: skip
    else:
        if fleet.silent:
            yield Problem(
                "silent-workers", Level.WARN, f"{fleet.silent} of {fleet.count} connected workers did not answer",
                "Look into the log of the one that is missing below; start it again when it hangs.",
                workers_page, "Workers",
            )  # fmt: skip
        yield from _of_versions(figures)


def _of_versions(figures: Figures) -> Iterator[Problem]:
    fleet, default = figures.fleet, figures.fleet.default
    if default is not None and not figures.default_network.running:
        wanted = default.nn_id, default.number
        others = [each.worker for each in fleet.workers if (each.nn_id, each.number) != wanted]
        if others:
            yield Problem(
                "version-skew", Level.WARN, f"{_named(others)} not loaded version {default.number} of the default "
                "network", "It is loaded when it is asked for, which takes a moment longer. If this lasts, look into "
                "the worker's log.", reverse("admin:workers"), "Workers",
            )  # fmt: skip
    if fleet.mixed:
        yield Problem(
            "mixed-fleet", Level.WARN, "The workers do not all run the same programs",
            "Install the same release, Python, Keras and TensorFlow on all of them: answers may differ in the last "
            "digits.", reverse("admin:workers"), "Workers",
        )  # fmt: skip


def _named(workers: list[str]) -> str:
    if len(workers) == 1:
        return f"{workers[0]} has"
    more = f" and {len(workers) - NAMED_MAX} more" if len(workers) > NAMED_MAX else ""
    return f"{', '.join(workers[:NAMED_MAX])}{more} have"


def _of_requests(figures: Figures) -> Iterator[Problem]:
    recent, queue = figures.recent, figures.fleet.queue
    level = level_of_errors(recent.errors, recent.count)
    of_how_many = f"{recent.errors:,} of the {recent.count:,} requests of the last {RECENT_MINUTES} minutes"
    if level is not Level.OK:
        yield Problem(
            "errors", level,
            f"{of_how_many} were not answered",
            "See which, and of which worker and version.",
            reverse("admin:inference_predictiontiming_changelist") + "?outcome=not_answered", "Failed requests",
        )  # fmt: skip
    if queue.fullest >= NEAR_LIMIT:
        full = queue.fullest >= 1
        what = "The queue is full: requests are refused" if full else "The queue is near its limit"
        to_do = "Start more workers, or raise PIPELINE_QUEUE_REQUESTS_MAX when they only come in bursts."
        yield Problem("queue", Level.BAD if full else Level.WARN, what, to_do)
    if queue.silent:
        yield Problem(
            "silent-gateways", Level.WARN, f"{queue.silent} of the gateways' processes did not answer",
            "Look into the gateways' logs. What they hold is missing in the queue below.",
        )  # fmt: skip
    if queue.timings_dropped:
        yield Problem(
            "timings-dropped", Level.WARN,
            f"{queue.timings_dropped:,} requests are missing in these figures since the gateways started",
            "The database did not take their timings: the gateways' logs say why. Starting the gateways again clears "
            "this.",
        )  # fmt: skip


def _of_switches(figures: Figures) -> Iterator[Problem]:
    default_network, latest = figures.default_network, figures.default_network.latest
    if not default_network.any_network:
        to_do = "Upload weights: the first network becomes the default one."
        yield Problem("no-network", Level.START, "There is no network yet", to_do)
    elif default_network.active is None:
        yield Problem(
            "no-default", Level.START, "No network is the default one yet",
            "Activate a version, or upload one that loads.", reverse("admin:inference_network_changelist"), "Networks",
        )  # fmt: skip
    well = Activation.Outcome.ACTIVATED, Activation.Outcome.RUNNING, Activation.Outcome.NOT_FIRST
    if latest is not None and latest.ending not in well and figures.at - latest.started_at < FAILURE_TOLD:
        yield Problem(
            "failed-switch", Level.WARN,
            f"The last switch failed: {latest.kind} of version {latest.version.number}, {latest.ending}",
            "What was active stays active. See why, and try again.",
            reverse("admin:inference_activation_change", args=[latest.pk]), "Its reports",
        )  # fmt: skip
