"""What is read of networks, their versions and activations, by people who look and before something is activated."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from inference.errors import ConflictError, NotFoundError
from inference.models import Activation, DefaultNetwork, Network, Version


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


def network(nn_id: str) -> Any:
    """One network, with what `networks` adds.

    Raises:
        NotFoundError: there is none of that name.
    """
    found = networks().filter(pk=nn_id).first()
    if found is None:
        raise NotFoundError(f"there is no network {nn_id}: GET /networks lists them")
    return found


def versions(nn_id: str) -> QuerySet[Version]:
    """A network's versions, newest first, each with its weights' record."""
    return Version.objects.filter(network_id=nn_id).select_related("weights", "network").order_by("-number")


def version(nn_id: str, number: int) -> Version:
    """One version, whatever its state.

    Raises:
        NotFoundError: the network has no such version, or there is no such network.
    """
    found = versions(nn_id).filter(number=number).first()
    if found is None:
        raise NotFoundError(f"there is no version {number} of network {nn_id}: GET /networks/{nn_id} lists them")
    return found


def activations(version: Version, at_most: int) -> list[Activation]:
    """A version's latest activations, newest first, with their reports."""
    found = version.activations.select_related("previous").prefetch_related("reports")
    return list(found.order_by("-id")[:at_most])


def version_before(nn_id: str) -> Version:
    """What a rollback of a network leads to: what was active before the active version, or before that one.

    It is the `previous` of the active version's latest activation that was no rollback, so rolling back again leads
    further back; and from a version that is deleted since, it goes on in the same way.

    Raises:
        NotFoundError: there is no such network.
        ConflictError: nothing is active, or nothing was before.
    """
    active = network(nn_id).active
    if active is None:
        raise ConflictError(f"network {nn_id} has no active version, so there is nothing to roll back from")
    seen, current = {active.pk}, active
    while (before := _previous_of(current)) is not None and before.pk not in seen:
        if before.state != Version.State.DELETED:
            return before
        seen.add(before.pk)
        current = before
    raise ConflictError(f"nothing to roll back to: no version was active before {current} that still exists")


def _previous_of(version: Version) -> Version | None:
    activated = version.activations.filter(outcome=Activation.Outcome.ACTIVATED, previous__isnull=False)
    walked = activated.exclude(kind=Activation.Kind.ROLLBACK).exclude(previous=version)
    latest = walked.select_related("previous__network", "previous__weights").order_by("-id").first()
    return latest.previous if latest else None
