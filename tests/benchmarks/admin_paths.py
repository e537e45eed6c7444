"""The pages that `admin_pages` asks for: each by its name, with the address of the worst that it has to show.

`tests/unit/inference/admin/test_queries.py` holds that every address of the admin is here, and counts their queries.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import Group, User
from django.db.models import Model

from inference.models import AccessToken, Activation, Network, PredictionTiming, Version
from tests.benchmarks.filled import NETWORKS, WORKERS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MANY, OTHER = NETWORKS
MODELS, AUTH = "/admin/inference", "/admin/auth"
ROWS_A_PAGE = 100
NOBODY = "gone@nowhere"
Paths = dict[str, str]


def paths(until: datetime) -> Paths:
    """All of them."""
    return {
        "dashboard": "/admin/",
        "dashboard of a day": "/admin/?range=day",
        "dashboard of a week": "/admin/?range=week",
        "the dashboard's parts (polled)": "/admin/dashboard/?range=hour",
        **_networks(),
        **_activations(),
        "workers": "/admin/workers/",
        **_requests(until),
        **_people(),
        **_tokens(),
        **_api(),
    }


def _networks() -> Paths:
    network, versions = f"{MODELS}/network", f"{MODELS}/version"
    page, one = f"{network}/{MANY}", Version.objects.filter(network_id=MANY).earliest("number")
    newest, seldom = _newest(), Network.objects.exclude(pk__in=NETWORKS).latest("nn_id").nn_id
    return {
        "networks": f"{network}/",
        "networks, the last page": f"{network}/?p={_last_page(Network)}",
        "networks, searched": f"{network}/?q={seldom[-3:]}",
        "networks, nothing found": f"{network}/?q=nowhere",
        "a network of 1,000 versions": f"{page}/change/",
        "its last page": f"{page}/change/?page=1000",
        "a network of one version": f"{network}/{seldom}/change/",
        "versions": f"{versions}/",
        "versions, the last page": f"{versions}/?p={_last_page(Version)}",
        "versions, failed": f"{versions}/?state__exact=failed",
        "versions, searched": f"{versions}/?q=weights-999",
        "a version": f"{versions}/{one.pk}/change/",
        "records of changes by hand": f"{versions}/{one.pk}/history/",
        "those of a network": f"{page}/history/",
        "upload a network": f"{network}/upload/",
        "upload a version": f"{page}/upload/",
        "confirm: activate": f"{page}/versions/1/activate/",
        "confirm: roll back": f"{page}/rollback/",
        "try a network": f"{page}/try/",
        "confirm: delete": f"{page}/versions/1/delete/",
        "a version's weights": f"{page}/versions/1/download/",
        "reports while they come (polled)": f"{page}/versions/{newest}/progress/",
    }


def _activations() -> Paths:
    page, failed = f"{MODELS}/activation", Activation.objects.filter(outcome="failed").latest("id")
    return {
        "activations": f"{page}/",
        "activations, the last page": f"{page}/?p={_last_page(Activation)}",
        "activations, failed": f"{page}/?outcome__exact=failed",
        "activations of a version": f"{page}/?version__id__exact={failed.version_id}",
        "activations, searched": f"{page}/?q={MANY[:9]}",
        "activations, nothing found": f"{page}/?q=nowhere",
        "activations, the slowest": f"{page}/?o=-8",
        "an activation": f"{page}/{failed.pk}/change/",
        "its record": f"{page}/{failed.pk}/history/",
    }


def _tokens() -> Paths:
    page, one = f"{MODELS}/accesstoken", AccessToken.objects.filter(revoked_at__isnull=True).latest("id")
    return {
        "tokens": f"{page}/",
        "tokens, the last page": f"{page}/?p={_last_page(AccessToken)}",
        "tokens, searched": f"{page}/?q={one.name}",
        "tokens that live": f"{page}/?revoked_at__isempty=1",
        "a token": f"{page}/{one.pk}/change/",
        "its record of changes": f"{page}/{one.pk}/history/",
        "confirm: revoke": f"{page}/{one.pk}/revoke/",
    }


def _requests(until: datetime) -> Paths:
    def time(at: datetime) -> str:
        return f"{at:%Y-%m-%dT%H:%M:%S}"

    week_ago = {"since": time(until - 6 * DAY), "until": time(until - 6 * DAY + HOUR)}
    slowest = {"sort": "slowest"}
    asked: dict[str, dict[str, object]] = {
        "all": {},
        "the last page": {"page": 100},
        "slowest": slowest,
        "slowest, the last page": {**slowest, "page": 100},
        "of a network": {"nn_id": OTHER},
        "of a network by its first letter": {"nn_id": OTHER[:1], **slowest},
        "of a network that has none": {"nn_id": "c" * 32},
        "of a version": {"nn_id": MANY, "version": _newest()},
        "of a version of last week": {"version": 1},
        "of a worker": {"worker": WORKERS[2]},
        "of a worker that is unknown": {"worker": NOBODY},
        "not answered": {"outcome": "not_answered"},
        "not answered, the last page": {"outcome": "not_answered", "page": 100},
        "not answered, slowest": {"outcome": "not_answered", **slowest},
        "failed": {"outcome": "failed"},
        "failed, of a worker that is unknown": {"outcome": "failed", "worker": NOBODY},
        "answered": {"outcome": "answered"},
        "of the last hour": {"since": time(until - HOUR)},
        "of an hour last week": week_ago,
        "of an hour last week, slowest": {**week_ago, **slowest},
        "of a year ago": {"until": time(until - 365 * DAY)},
        "slower than 30 ms": {"slower_than": 30},
        "slower than an hour": {"slower_than": 3_600_000},
        "of everything at once, none": {
            **week_ago, **slowest, "nn_id": OTHER, "version": 3, "worker": WORKERS[0], "outcome": "refused",
            "slower_than": 1e6,
        },
    }  # fmt: skip
    page, one = f"{MODELS}/predictiontiming/", PredictionTiming.objects.order_by("id")[:1].get()
    exported = {
        "failed": {"outcome": "failed", "since": time(until - DAY)},
        "of an hour last week": week_ago,
        "slowest, of a network": {"nn_id": OTHER, **slowest, "slower_than": 60},
        "all: 100,000 rows": {},
    }
    return {
        "a request": f"{page}{one.pk}/change/",
        "a request's record": f"{page}{one.pk}/history/",
        **{f"requests {name}": f"{page}?{urlencode(query)}" for name, query in asked.items()},
        **{f"CSV of requests {name}": f"{page}csv/?{urlencode(query)}" for name, query in exported.items()},
    }


def _people() -> Paths:
    user, group = User.objects.latest("id"), Group.objects.get(name="viewer")
    return {
        "users": f"{AUTH}/user/",
        "users, searched": f"{AUTH}/user/?q=person-1",
        "a user": f"{AUTH}/user/{user.pk}/change/",
        "a user's record": f"{AUTH}/user/{user.pk}/history/",
        "a user's password": f"{AUTH}/user/{user.pk}/password/",
        "add a user": f"{AUTH}/user/add/",
        "delete a user": f"{AUTH}/user/{user.pk}/delete/",
        "groups": f"{AUTH}/group/",
        "a group": f"{AUTH}/group/{group.pk}/change/",
        "a group's record": f"{AUTH}/group/{group.pk}/history/",
        "add a group": f"{AUTH}/group/add/",
        "delete a group": f"{AUTH}/group/{group.pk}/delete/",
        "change one's password": "/admin/password_change/",
        "one's password is changed": "/admin/password_change/done/",
        "all models": f"{MODELS}/",
        "searched for a model": "/admin/search/?s=net",
        "the admin's texts": "/admin/jsi18n/",
    }


def _api() -> Paths:
    return {
        "`GET /networks`": "/networks",
        "`GET /networks`, the last": f"/networks?offset={Network.objects.count() - 1}",
        "`GET /networks`, 1,000 at once": "/networks?limit=1000",
        "`GET /networks/<nn_id>`": f"/networks/{MANY}",
        "`GET /networks/<nn_id>`, 1,000 versions at once": f"/networks/{MANY}?limit=1000",
        "`GET /networks/<nn_id>/versions/<n>`": f"/networks/{MANY}/versions/{_newest()}",
        "`GET /networks/<nn_id>/versions/<n>/weights`": f"/networks/{MANY}/versions/1/weights",
        "`GET /status`": "/status",
        "`GET /metrics`": "/metrics",
        "`GET /readyz`": "/readyz",
        "`GET /healthz`": "/healthz",
        "`GET /`": "/",
    }


def _newest() -> int:
    """The number of the active version of the network that has many."""
    return Version.objects.filter(network_id=MANY).latest("number").number


def _last_page(model: type[Model]) -> int:
    return -(-model._default_manager.count() // ROWS_A_PAGE)
