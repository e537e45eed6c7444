"""What networks are called, and which of their versions have labels."""

from __future__ import annotations

from uuid import uuid4

from django.db import IntegrityError, transaction

from inference.errors import BadInputError, ConflictError, NotFoundError
from inference.models import Label, Network, Version
from inference.models.names import NAME_RULE, is_name, version_in
from inference.versions import history


def who(nn_id: str | None, name: str | None, prefix: str = "") -> dict[str, str | None]:
    """The filter for the network that an upload is for, from what refers to it by `prefix`: its id says so, or its
    name alone."""
    return {f"{prefix}nn_id": nn_id} if nn_id is not None else {f"{prefix}name": name}


def found_or_made(nn_id: str | None, name: str | None) -> Network:
    """The network that an upload is for, or a new one, called so, and locked until the transaction ends: uploads for
    one network take their numbers one after the other, and several at once with one new name are for one network.

    Raises:
        BadInputError: it is no name.
        ConflictError: another network has the name.
    """
    if name is not None and not is_name(name):
        raise BadInputError(f"name must be {NAME_RULE}")
    made = {"nn_id": uuid4().hex} if nn_id is None else {}
    Network.objects.get_or_create(**who(nn_id, name), defaults=made)
    network = Network.objects.select_for_update().get(**who(nn_id, name))
    if name is not None:
        name_network(network, name)
    return network


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
    if not is_name(label) or isinstance(version_in(label), int):
        raise BadInputError(f"a label must be {NAME_RULE}, and no number, which a version has")
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
