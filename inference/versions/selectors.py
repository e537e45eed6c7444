"""What is read from the database to serve: which versions are active, and how requests fare."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Avg, FilteredRelation, Q, QuerySet, Subquery

from inference.errors import ConflictError, NoNetworkError, NotFoundError
from inference.models import DefaultNetwork, Network, PredictionTiming, Version
from workers.messages.protocol import VersionRef

ACTIVE_FIELDS = ("nn_id", "active__number", "active__weights_id", "active__architecture_id", "active__terms_id")
#: Averages shown by /status are over this many requests.
RECENT_REQUESTS = 100
#: They are looked for among so many: an overload refuses millions, and /status has to answer then, too.
RECENT_LOOKED_THROUGH = 10_000
#: Stand for the values in a statement that is written once; no network and no other parameter has them.
A_NAME, A_NUMBER = "(a name)", 2**31 - 2


def _named(nn_id: str | None) -> QuerySet[Network]:
    """The network of that name, or the default one: at most one."""
    if nn_id is None:
        return Network.objects.filter(defaultnetwork__id=DefaultNetwork.ONLY_ID)
    return Network.objects.filter(nn_id=nn_id)


def default_version() -> VersionRef | None:
    """The active version of the default network."""
    row = _named(None).filter(active__isnull=False).values_list(*ACTIVE_FIELDS).first()
    return VersionRef(*row) if row else None


@cache
def _version_query(named: bool, numbered: bool) -> tuple[str, tuple[Any, ...]]:
    """The SQL and its parameters for `version_to_use`, A_NAME and A_NUMBER among them: Django takes longer to write
    it than the database to answer.
    """
    networks, version = _named(A_NAME if named else None), "active"
    if numbered:
        version = "asked_for"
        networks = networks.annotate(asked_for=FilteredRelation("versions", condition=Q(versions__number=A_NUMBER)))
    fields = (
        "nn_id",
        *(f"{version}__{field}" for field in ("number", "weights_id", "architecture_id", "terms_id", "state")),
    )
    return networks.values_list(*fields).order_by("nn_id")[:1].query.sql_with_params()


def version_to_use(nn_id: str | None, number: int | None) -> VersionRef:
    """The version that is asked for; without `nn_id` the default network's, without `number` the active one.

    One query, run once a batch.

    Raises:
        NoNetworkError: no network is named, and none is the default one yet.
        NotFoundError: the network has no such version, or none that is active, or does not exist.
        ConflictError: the version that is asked for was never loaded by all workers.
    """
    statement, parameters = _version_query(nn_id is not None, number is not None)
    asked = {A_NAME: nn_id, A_NUMBER: number}
    with connection.cursor() as cursor:
        cursor.execute(statement, [asked.get(each, each) for each in parameters])
        row = cursor.fetchone()
    if row is None and nn_id is None:
        raise NoNetworkError("No weights loaded")
    if row is None:
        raise NotFoundError(f"there is no network {nn_id}; GET /networks lists those that there are")
    network, found, *digests, state = row
    if found is None:
        what = "active version" if number is None else f"version {number}"
        raise NotFoundError(f"network {network} has no {what}; GET /networks/{network} lists its versions")
    if state == Version.State.DELETED:
        raise NotFoundError(f"{network} version {number} is deleted; GET /networks/{network} lists the others")
    if number is not None and state != Version.State.LOADED:
        raise ConflictError(f"{network} version {number} is {state}; a version answers once it has been activated")
    return VersionRef(network, found, *digests)


def active_versions(at_most: int | None = None) -> list[VersionRef]:
    """The active version of every network, or of so many: the default network's first, then the latest uploaded."""
    rows = Network.objects.filter(active__isnull=False).order_by("-active__uploaded_at").values_list(*ACTIVE_FIELDS)
    default = default_version()
    versions = [VersionRef(*row) for row in rows[:at_most]]
    return sorted(versions, key=lambda version: version != default)


def average_handling_ms() -> float:
    """Mean time of the last hundred answered requests, from arrival to answer; 0 when none was, for long."""
    latest = Subquery(PredictionTiming.objects.order_by("-id").values("id")[:1])
    recent_ones = PredictionTiming.objects.filter(id__gt=latest - RECENT_LOOKED_THROUGH)
    answered = recent_ones.filter(outcome=PredictionTiming.Outcome.ANSWERED)
    recent = answered.order_by("-id").values("total_ms")[:RECENT_REQUESTS]
    return float(recent.aggregate(mean=Avg("total_ms"))["mean"] or 0.0)
