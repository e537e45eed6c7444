"""What a version takes and makes, as the workers that loaded it have told."""

from __future__ import annotations

from inference.errors import ConflictError, NotFoundError
from inference.models import Version
from inference.models.names import named
from inference.versions import history
from workers.messages.network_signature import NetworkSignature


def asked_version(network: str, which: int | str | None = None, even_deleted: bool = False) -> Version:
    """A network's version by its number or label, or the active one; by its number, perhaps one that is deleted.

    Raises:
        NotFoundError: there is none.
    """
    if isinstance(which, int):
        numbered = history.version(network, which)
        if numbered.state == Version.State.DELETED and not even_deleted:
            raise NotFoundError(f"{numbered} is deleted; GET /networks/{network} lists the others")
        return numbered
    found = Version.objects.select_related("network", "weights").filter(**named(network, "network__"))
    where = {"active_for__isnull": False} if which is None else {"labels__label": which}
    version = found.filter(**where).first()
    if version is None:
        history.network(network)
        what = "active version" if which is None else f"label {which}"
        raise NotFoundError(f"network {network} has no {what}; GET /networks/{network} lists its versions")
    return version


def signature_of(version: Version) -> NetworkSignature:
    """Its inputs and outputs.

    Raises:
        ConflictError: no worker has told: an earlier release loaded it, or none has yet.
    """
    if version.signature is None:
        raise ConflictError(
            f"what {version} takes is not known: POST /networks/{version.network_id}/activate has workers tell it"
        )
    return NetworkSignature.from_json(version.signature)


def called(version: Version) -> str:
    """Its network's name, or else its id."""
    return version.network.name or version.network_id
