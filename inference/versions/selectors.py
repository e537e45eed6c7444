"""What is read from the database to serve: which versions are active, and how requests fare."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Avg, FilteredRelation, Q, QuerySet, Subquery

from inference.errors import ConflictError, NoNetworkError, NotFoundError
from inference.models import DefaultNetwork, Network, PredictionTiming, Version
from workers.messages.protocol import VersionRef, is_nn_id

ACTIVE_FIELDS = ("nn_id", "active__number", "active__weights_id", "active__architecture_id", "active__terms_id")
#: Averages shown by /status are over this many requests.
RECENT_REQUESTS = 100
#: They are looked for among so many: an overload refuses millions, and /status has to answer then, too.
RECENT_LOOKED_THROUGH = 10_000
#: Stand for the values in a statement that is written once; no network and no other parameter has them.
A_NAME, A_NUMBER, A_LABEL = "(a name)", 2**31 - 2, "(a label)"


#: As a network may be asked for: not at all, by its id, or by its name.
DEFAULT, BY_ID, BY_NAME = None, "nn_id", "name"
#: And its version; else the active one is meant.
NUMBER, LABEL = "version", "label"


def _asked_by(network: str | None) -> str | None:
    return DEFAULT if network is None else BY_ID if is_nn_id(network) else BY_NAME


def _told_by(which: int | str | None) -> str | None:
    return None if which is None else NUMBER if isinstance(which, int) else LABEL


def _networks(by: str | None) -> QuerySet[Network]:
    """The network of A_NAME, or the default one: at most one."""
    if by is DEFAULT:
        return Network.objects.filter(defaultnetwork__id=DefaultNetwork.ONLY_ID)
    return Network.objects.filter(**{by: A_NAME})


def default_version() -> VersionRef | None:
    """The active version of the default network."""
    row = _networks(DEFAULT).filter(active__isnull=False).values_list(*ACTIVE_FIELDS).first()
    return VersionRef(*row) if row else None


@cache
def _version_query(by: str | None, told_by: str | None) -> tuple[str, tuple[Any, ...]]:
    """The SQL and its parameters for `version_to_use`, A_NAME, A_NUMBER and A_LABEL among them: Django takes longer to
    write it than the database to answer. `told_by` is what tells the version.
    """
    networks, version = _networks(by), "active"
    if told_by == NUMBER:
        version = "asked_for"
        networks = networks.annotate(asked_for=FilteredRelation("versions", condition=Q(versions__number=A_NUMBER)))
    elif told_by == LABEL:
        version = "labelled__version"
        networks = networks.annotate(labelled=FilteredRelation("labels", condition=Q(labels__label=A_LABEL)))
    fields = (
        "nn_id",
        *(f"{version}__{field}" for field in ("number", "weights_id", "architecture_id", "terms_id", "state")),
    )
    return networks.values_list(*fields).order_by("nn_id")[:1].query.sql_with_params()


def version_to_use(network: str | None, which: int | str | None) -> VersionRef:
    """The version that is asked for: of the network of that id or name, or of the default one; by its number or its
    label, or the active one. One query, run once a batch.

    Raises:
        NoNetworkError: no network is named, and none is the default one yet.
        NotFoundError: the network has no such version, or none that is active, or does not exist.
        ConflictError: the version that is asked for was never loaded by all workers.
    """
    statement, parameters = _version_query(_asked_by(network), _told_by(which))
    asked = {A_NAME: network, A_NUMBER: which, A_LABEL: which}
    with connection.cursor() as cursor:
        cursor.execute(statement, [asked.get(each, each) for each in parameters])
        row = cursor.fetchone()
    if row is None and network is None:
        raise NoNetworkError("No weights loaded")
    if row is None:
        raise NotFoundError(f"there is no network {network}; GET /networks lists those that there are")
    nn_id, number, *digests, state = row
    if number is None:
        what = "active version" if which is None else f"{_told_by(which)} {which}"
        raise NotFoundError(f"network {nn_id} has no {what}; GET /networks/{nn_id} lists its versions")
    if state == Version.State.DELETED:
        raise NotFoundError(f"{nn_id} version {number} is deleted; GET /networks/{nn_id} lists the others")
    if which is not None and state != Version.State.LOADED:
        raise ConflictError(f"{nn_id} version {number} is {state}; a version answers once it has been activated")
    return VersionRef(nn_id, number, *digests)


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
