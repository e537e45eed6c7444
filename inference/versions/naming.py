"""What networks are called, and which of their versions have labels."""

from __future__ import annotations

from uuid import uuid4

from django.db import IntegrityError, transaction

from inference.errors import BadInputError, ConflictError, NotFoundError
from inference.models import Label, Network, Version
from inference.models.names import NAME_RULE, is_name
from inference.versions import history


def nn_id_for(name: str) -> str:
    """The id of the network of that name, or of a new one."""
    known = Network.objects.filter(name=name).values_list("nn_id", flat=True).first()
    return known or uuid4().hex


def name_network(network: Network, name: str | None) -> None:
    """Call a network so from now on, or by its id alone.

    Raises:
        BadInputError: it is no name.
        ConflictError: another network has it.
    """
    if name is not None and not is_name(name):
        raise BadInputError(f"name must be {NAME_RULE}")
    if name == network.name:
        return
    network.name = name
    try:
        with transaction.atomic():
            network.save(update_fields=["name"])
    except IntegrityError as error:
        other = Network.objects.filter(name=name).values_list("nn_id", flat=True).first()
        raise ConflictError(f"network {other} has the name {name!r}: take it from there first") from error


def label_version(network: str, label: str, number: int) -> Version:
    """Have a label of a network stand for this version from now on.

    Raises:
        BadInputError: it is no label.
        NotFoundError: there is no such version.
        ConflictError: that one was never loaded by all workers, or is deleted.
    """
    if not is_name(label):
        raise BadInputError(f"a label must be {NAME_RULE}")
    version = history.version(network, number)
    if version.state != Version.State.LOADED:
        raise ConflictError(f"{version} is {version.state}: a label is for one that has been active")
    Label.objects.update_or_create(network=version.network, label=label, defaults={"version": version})
    return version


def remove_label(network: str, label: str) -> str:
    """Forget a label; says whose it was.

    Raises:
        NotFoundError: there is none.
    """
    found = history.network(network)
    if not Label.objects.filter(network=found, label=label).delete()[0]:
        raise NotFoundError(f"network {network} has no label {label}: GET /networks/{network} lists them")
    return str(found.nn_id)
