"""No page takes more queries the more there is to show: every address of the admin, and of the HTTP API that is read.

The addresses are those of `scripts/bench admin_pages`: an address that is new belongs there, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, resolve

from gateway_site.urls import urlpatterns
from inference.dispatch.predict_input import PREDICT_DOOR
from inference.http.protocol_urls import V1, V2
from inference.models import (
    AccessToken,
    Activation,
    DefaultNetwork,
    FileChunk,
    Network,
    StoredFile,
    Version,
    WorkerReport,
)
from inference.statistics.timing import Timing
from inference.statistics.timings import Timings
from inference.versions import architecture_summaries
from inference.versions.asking import Answers
from tests.benchmarks.admin_paths import paths
from tests.benchmarks.filled import NETWORKS, other_networks
from tests.benchmarks.filled_networks import NAME, fill_networks, fill_people
from tests.unit.admin_samples import queries
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import worker_status

FEW, MANY = 2, 200
#: No page takes more, whatever it shows.
QUERIES_MAX = 16
#: What is not asked for by its address alone, or is refused whatever is there.
NOT_READ = {
    "login", "logout", "autocomplete", "view_on_site", "inference_network_load",
    "inference_network_name", "inference_network_set_label", "inference_network_remove_label",
    *(f"inference_{model}_{change}" for model in ("network", "version", "activation", "predictiontiming", "accesstoken")
      for change in ("add", "delete")),
}  # fmt: skip


def fill(count: int, now: datetime) -> None:
    """So many of everything; what was there goes, but for requests and people, of whom there are more."""
    Network.objects.update(active=None)
    for model in (WorkerReport, DefaultNetwork, Activation, Version, Network, FileChunk, StoredFile):
        model.objects.all().delete()
    fill_networks(now, others=count, versions=count)
    User.objects.bulk_create([User(username=f"{count} {number}", is_staff=True) for number in range(count)])
    AccessToken.objects.bulk_create(
        AccessToken(name=f"{count} {number}", digest=f"{count:032x}{number:032x}", rights="predict")
        for number in range(count)
    )
    changed = User.objects.latest("id")
    log = {"user": changed, "content_type": ContentType.objects.get_for_model(User), "object_id": changed.pk}
    LogEntry.objects.bulk_create([LogEntry(action_flag=CHANGE, object_repr="x", **log) for _ in range(count)])
    timings = Timings()
    for number, name in enumerate(other_networks(count)):
        for nn_id in (name, NETWORKS[0]):
            for outcome in ("answered", "failed"):
                worker = f"worker-{number}@here"
                timings.add(Timing(now, nn_id, 1 + number, worker, 1, 1, 2.0, 0.5, 0.25, outcome, PREDICT_DOOR))
    timings.flush()


def fleet(count: int) -> Answers[Any]:
    return Answers([worker_status(f"worker-{number}@here") for number in range(count)], 0)


def taken(client: Client, now: datetime) -> dict[str, int]:
    """How many queries each page takes, when this process knows nothing of what it shows."""

    def read(path: str) -> None:
        response = client.get(path)
        assert response.status_code == 200, (path, response.status_code)
        if response.streaming:
            b"".join(response)  # type: ignore[call-overload]

    found = {}
    for name, path in paths(now).items():
        architecture_summaries._kept.cache_clear()
        found[name] = queries(lambda path=path: read(path))
    return found


@pytest.mark.django_db
def test_no_page_takes_more_queries_the_more_there_is(gateway: PretendedGateway) -> None:
    client, now = Client(), datetime.now(UTC)
    fill_people(FEW)
    client.force_login(User.objects.get(username=NAME))
    ContentType.objects.get_for_models(*apps.get_models())  # which a process asks once
    fill(FEW, now)
    gateway.fleet.statuses = fleet(FEW)
    few = taken(client, now)
    fill(MANY, now)
    gateway.fleet.statuses = fleet(MANY)

    many = taken(client, now)

    assert {name: (few[name], many[name]) for name in few if many[name] > few[name]} == {}
    assert {name: count for name, count in many.items() if count > QUERIES_MAX} == {}


def names(patterns: list[Any]) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from names(each.url_patterns)
        elif isinstance(each, URLPattern) and each.name:
            yield each.name


@pytest.mark.django_db
def test_every_address_of_the_admin_is_among_those_that_are_measured() -> None:
    now = datetime.now(UTC)
    fill_people(FEW)
    fill(FEW, now)

    measured = {resolve(path.partition("?")[0]).url_name for path in paths(now).values()}

    not_measured = set(names(admin.site.urls[0])) - measured
    assert not_measured == NOT_READ, "what is new is to be added to tests/benchmarks/admin_paths.py"


@pytest.mark.django_db
def test_every_address_of_the_http_api_that_is_read_is_among_those_that_are_measured() -> None:
    now = datetime.now(UTC)
    fill_people(FEW)
    fill(FEW, now)

    measured = {resolve(path.partition("?")[0]).route for path in paths(now).values()}

    network = "networks/<network:network>"
    changes = {"predict", "set_weights", *(f"{network}/{way}" for way in ("activate", "rollback"))}
    changes.add(f"{network}/labels/<network:label>")
    protocols = {str(each.pattern) for each in (*V1, *V2)}  # they read what the others do
    of_api = {str(each.pattern) for each in urlpatterns if isinstance(each, URLPattern)} - protocols
    document = {"api/schema", "api/docs"}  # they read nothing of what is stored
    assert of_api - changes - document == {route for route in measured if not route.startswith("admin/")}
