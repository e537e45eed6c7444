"""What is read from the database to serve: which versions are active, and how requests fare."""

from __future__ import annotations

from django.db.models import Avg, QuerySet

from inference.models import DefaultNetwork, Network, PredictionTiming
from workers.protocol import VersionRef

ACTIVE_FIELDS = ("nn_id", "active__number", "active__weights_id", "active__architecture_id")
#: Averages shown by /status are over this many requests.
RECENT_REQUESTS = 100


def active_version(nn_id: str | None) -> VersionRef | None:
    """The active version of a network, or of the default one; one query, run once a batch."""
    networks: QuerySet[Network] = Network.objects.filter(active__isnull=False)
    if nn_id is None:
        networks = networks.filter(defaultnetwork__id=DefaultNetwork.ONLY_ID)
    else:
        networks = networks.filter(nn_id=nn_id)
    row = networks.values_list(*ACTIVE_FIELDS).first()
    return VersionRef(*row) if row else None


def active_versions() -> list[VersionRef]:
    """The active version of every network, the default network's first, then the latest uploaded."""
    rows = Network.objects.filter(active__isnull=False).order_by("-active__uploaded_at").values_list(*ACTIVE_FIELDS)
    default = active_version(None)
    versions = [VersionRef(*row) for row in rows]
    return sorted(versions, key=lambda version: version != default)


def average_handling_ms() -> float:
    """Mean time of the last hundred answered requests, from arrival to answer; 0 before the first."""
    answered = PredictionTiming.objects.filter(outcome=PredictionTiming.Outcome.ANSWERED)
    recent = answered.order_by("-id").values("total_ms")[:RECENT_REQUESTS]
    return float(recent.aggregate(mean=Avg("total_ms"))["mean"] or 0.0)
