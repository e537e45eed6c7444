"""What is read of networks, their versions and activations, by people who look and before something is activated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from inference.errors import ConflictError, NotFoundError
from inference.models import Activation, DefaultNetwork, Network, Version
from inference.models.names import named

#: So many of a network's activations, the latest, tell most rollbacks where to; reading all takes 10 us for each.
LATEST_ACTIVATIONS = 1000
#: Of those that are read, the first so many may have ended among others that are not.
AT_ONCE_MAX = 100
NOT_READ = (0, "")


def networks() -> QuerySet[Network, Any]:
    """All networks by name, each with its active version, `versions_count`, `last_upload` and `is_default`."""
    return (
        Network.objects.select_related("active")
        .annotate(
            versions_count=Count("versions"),
            last_upload=Max("versions__uploaded_at"),
            is_default=Exists(DefaultNetwork.objects.filter(network=OuterRef("pk"))),
        )
        .order_by("nn_id")
    )


def network(network: str) -> Any:
    """One network, by its id or name, with what `networks` adds.

    Raises:
        NotFoundError: there is none of that name.
    """
    found = networks().filter(**named(network)).first()
    if found is None:
        raise NotFoundError(f"there is no network {network}: GET /networks lists them")
    return found


def versions(network: str) -> QuerySet[Version]:
    """A network's versions, newest first, each with its weights' record."""
    found = Version.objects.filter(**named(network, "network__"))
    return found.select_related("weights", "network").order_by("-number")


def version(network: str, number: int) -> Version:
    """One version, whatever its state.

    Raises:
        NotFoundError: the network has no such version, or there is no such network.
    """
    found = versions(network).filter(number=number).first()
    if found is None:
        raise NotFoundError(f"there is no version {number} of network {network}: GET /networks/{network} lists them")
    return found


def activations(version: Version, at_most: int) -> list[Activation]:
    """A version's latest activations, newest first, with their reports."""
    found = version.activations.select_related("previous").prefetch_related("reports")
    return list(found.order_by("-id")[:at_most])


def version_to_load(asked: str) -> Version:
    """What a network answers by when it is to answer: its active version, or that which was active last.

    Raises:
        NotFoundError: there is no such network.
        ConflictError: it has no such version.
    """
    found = network(asked)
    if found.active is not None:
        return found.active  # type: ignore[no-any-return]  # a version
    succeeded = Activation.objects.filter(version__network=found, outcome=Activation.Outcome.ACTIVATED)
    last = succeeded.exclude(version__state=Version.State.DELETED).order_by("-id").select_related("version").first()
    if last is None:
        raise ConflictError(f"network {asked} has no version that has been active: upload one, or activate one")
    return last.version


def version_before(asked: str) -> Version:
    """What a rollback of a network leads to: it takes back the latest step that is not taken back yet, as undo does.

    A version that is deleted since is passed over, and so is the active one, where that leads to it again.

    Raises:
        NotFoundError: there is no such network.
        ConflictError: nothing is active, or nothing was before.
    """
    found = network(asked)
    nn_id, active = found.nn_id, found.active
    if active is None:
        raise ConflictError(f"network {nn_id} has no active version, so there is nothing to roll back from")
    for at_most in (LATEST_ACTIVATIONS, None):
        for version in reversed(_versions_to_go_back_through(nn_id, at_most)):
            if version == NOT_READ:
                break
            version_id, state = version
            if version_id != active.pk and state != Version.State.DELETED:
                return Version.objects.select_related("network", "weights").get(pk=version_id)
        else:
            break
    raise ConflictError(f"nothing to roll back to: no version was active before {active} that still exists")


def _versions_to_go_back_through(nn_id: str, at_most: int | None) -> list[tuple[int, str]]:
    """The versions, with their states, that steps not taken back made active; the last one is active now.

    They are found by going through the activations that succeeded, or so many of the latest, in one query of some bytes
    a row: one that changed the active version adds it, a rollback returns to the version that it made active. What lies
    before those that were read is one NOT_READ.
    """
    succeeded = Activation.objects.filter(version__network_id=nn_id, outcome=Activation.Outcome.ACTIVATED)
    found = succeeded.values_list("version_id", "version__state", "kind", "started_at", "seconds")
    rows = list(found.order_by("-id")[:at_most])[::-1]
    whole = at_most is None or len(rows) < at_most
    # In the order in which they ended, one after the other under the network's lock: they may have begun in another.
    ended = sorted(rows, key=_ended_at)
    kept: list[tuple[int, str]] = [] if whole else [NOT_READ]
    for version_id, state, kind, _, _ in ended if whole else ended[AT_ONCE_MAX:]:
        version = version_id, state
        if kept and kept[-1] == version:
            continue
        if kind == Activation.Kind.ROLLBACK and version in kept:
            while kept[-1] != version:
                kept.pop()
        elif kind == Activation.Kind.ROLLBACK and not whole:
            # To a version before those that were read; all that came since is taken back.
            kept = [NOT_READ, version]
        else:
            # A rollback to a version that is not there followed a rule of earlier gateways: a step like any other.
            kept.append(version)
    return kept


def _ended_at(row: tuple[int, str, str, datetime, float | None]) -> datetime:
    *_, started_at, seconds = row
    return started_at + timedelta(seconds=seconds or 0.0)
