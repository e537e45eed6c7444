"""An upload becomes a network's next version, state pending, whatever happens next."""

from __future__ import annotations

import logging
from typing import IO

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Max

from inference.databases.live_connection import is_disk_full
from inference.errors import DiskFullError
from inference.models import Version
from inference.versions import naming
from inference.versions.own_architecture import own_architecture
from inference.versions.stored_files import store_files
from workers.logs import about
from workers.messages.terms import NO_TERMS, Terms

logger = logging.getLogger(__name__)


def store_upload(
    nn_id: str | None, file_name: str, weights: bytes | IO[bytes], terms: Terms = NO_TERMS, name: str | None = None
) -> Version:
    """Store weights for a network, and what was said with them; with them the architecture that a whole model brings.

    Raises:
        BadInputError: a whole model whose architecture cannot be read.
        ConflictError: another network has the `name`.
        DiskFullError: the database has no room for it; nothing is stored.
    """
    default = settings.PIPELINE_DEFAULT_ARCHITECTURE.read_bytes()
    try:
        told = terms.to_bytes() if terms != NO_TERMS else None
        version = store_version(nn_id, file_name, weights, default, own_architecture(weights), told, name)
    except DatabaseError as error:
        if is_disk_full(error):
            raise DiskFullError("the database's disk is full: nothing was stored") from error
        raise
    logger.info("Stored %s (%s, %d bytes).", version, file_name, version.weights.size, extra=about(version.ref()))
    return version


@transaction.atomic
def store_version(
    nn_id: str | None,
    file_name: str,
    weights: bytes | IO[bytes],
    default_architecture: bytes,
    own_architecture: bytes | None = None,
    terms: bytes | None = None,
    name: str | None = None,
) -> Version:
    """An upload as the network's next version, state pending; without an `nn_id`, of the network of that name.

    Its architecture is the one that came with it, else that of the network's active version, else that of the version
    before, else the default one: a version that the workers refused does not change what later weights are for.
    """
    files = {"weights": weights}
    if own_architecture is not None or not Version.objects.filter(**naming.who(nn_id, name, "network__")).exists():
        files["architecture"] = own_architecture or default_architecture
    if terms is not None:
        files["terms"] = terms
    # Files are locked before the network, as whoever deletes a version does: else the two could wait for each other.
    stored = dict(zip(files, store_files(*files.values()), strict=True))
    network = naming.found_or_made(nn_id, name)
    known = network.active or network.versions.order_by("-number").first()
    architecture = known.architecture if own_architecture is None and known is not None else stored["architecture"]
    return Version.objects.create(
        network=network,
        number=(network.versions.aggregate(latest=Max("number"))["latest"] or 0) + 1,
        weights=stored["weights"],
        architecture=architecture,
        terms=stored.get("terms"),
        file_name=file_name,
    )
