"""A database with networks, versions, activations, reports and people: what the admin shows beside requests."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import Group, User
from django.db import transaction

from inference.models import (
    AccessToken,
    Activation,
    DefaultNetwork,
    FileChunk,
    Network,
    PredictionTiming,
    StoredFile,
    Version,
    WorkerReport,
)
from tests.benchmarks.filled import NETWORKS, OTHERS, VERSIONS, WORKERS, other_networks
from tests.support.samples import ARCHITECTURE, samples

#: Each version of the first network was made active, then the one before and it again in turn, and failed once.
ACTIVATIONS_A_VERSION = 10
STEP = timedelta(minutes=10)
WEIGHTS_BYTES = 8000
ROWS_A_STATEMENT = 500
USERS = 200
TRACE = "Traceback (most recent call last):\n" + '  File "loader.py", line 1, in load\n' * 40 + "WeightsError: no"
#: The operator who looks.
NAME, PASSWORD = "operator", "a long password"


@dataclass(frozen=True)
class Act:
    """An activation to be: of a version of the first network, or of another network's only one."""

    version: Version
    previous: Version | None
    kind: Activation.Kind
    outcome: Activation.Outcome = Activation.Outcome.ACTIVATED


def fill_networks(until: datetime, others: int = OTHERS, versions: int = VERSIONS) -> None:
    """A network of many versions, each with an architecture of its own, and many networks of one version."""
    architecture, weights = ARCHITECTURE.read_bytes(), base64.b64decode(samples()[0].file.read_bytes())
    names = [*NETWORKS, *other_networks(others)]
    source = random.Random(1)
    own = [_stored(source.randbytes(WEIGHTS_BYTES)) for _ in range(versions - 1)]
    layers = [_stored(architecture.replace(b"hidden_1", b"hidden_%d" % number)) for number in range(2, versions + 1)]
    # What is active can be loaded: a worker looks for it as soon as it starts.
    shared = [_stored(weights), _stored(architecture)]
    with transaction.atomic():
        StoredFile.objects.bulk_create([file for file, _ in (*shared, *own, *layers)], batch_size=ROWS_A_STATEMENT)
        chunks = [FileChunk(file=file, offset=0, content=content) for file, content in (*shared, *own, *layers)]
        FileChunk.objects.bulk_create(chunks, batch_size=ROWS_A_STATEMENT)
        Network.objects.bulk_create([Network(nn_id=name) for name in names])
        files = [*zip(own, layers, strict=True), (shared[0], shared[1])]
        made = [_version(names[0], number, *pair) for number, pair in enumerate(files, 1)]
        only = [_version(name, 1, *shared) for name in names[1:]]
        Version.objects.bulk_create([*only, *made], batch_size=ROWS_A_STATEMENT)
        _date(made, until)
        for version in (made[-1], *only):
            Network.objects.filter(pk=version.network_id).update(active=version)
        DefaultNetwork.objects.create(pk=DefaultNetwork.ONLY_ID, network_id=names[0])
        _activate([*_first_acts(only), *_acts(made)], until)


def _stored(content: bytes) -> tuple[StoredFile, bytes]:
    return StoredFile(digest=hashlib.sha256(content).hexdigest(), size=len(content)), content


def _version(name: str, number: int, weights: tuple[StoredFile, bytes], layers: tuple[StoredFile, bytes]) -> Version:
    return Version(
        network_id=name,
        number=number,
        weights=weights[0],
        architecture=layers[0],
        file_name=f"weights-{number}.h5",
        state=Version.State.LOADED,
    )


def _date(versions: Sequence[Version], until: datetime) -> None:
    """Each was uploaded when its activations began."""
    for number, version in enumerate(reversed(versions), 1):
        version.uploaded_at = until - number * ACTIVATIONS_A_VERSION * STEP
    Version.objects.bulk_update(versions, ["uploaded_at"], batch_size=ROWS_A_STATEMENT)


def _first_acts(versions: Sequence[Version]) -> Iterator[Act]:
    for version in versions:
        yield Act(version, None, Activation.Kind.UPLOAD)


def _acts(versions: Sequence[Version]) -> Iterator[Act]:
    kinds, before = Activation.Kind, None
    for version in versions:
        yield Act(version, before, kinds.UPLOAD)
        yield Act(version, version, kinds.ACTIVATE, Activation.Outcome.FAILED)
        for _ in range(ACTIVATIONS_A_VERSION // 2 - 1):
            yield Act(before or version, version, kinds.ACTIVATE)
            yield Act(version, before or version, kinds.ROLLBACK)
        before = version


def _activate(acts: Sequence[Act], until: datetime) -> None:
    activations = [
        Activation(
            version=act.version,
            previous=act.previous,
            kind=act.kind,
            requested_by="somebody",
            started_at=until - (len(acts) - number) * STEP,
            seconds=0.5,
            outcome=act.outcome,
            workers_asked=len(WORKERS),
            workers_answered=len(WORKERS),
            detail="" if act.outcome == Activation.Outcome.ACTIVATED else f"{WORKERS[0]}: WeightsError: no",
        )
        for number, act in enumerate(acts)
    ]
    Activation.objects.bulk_create(activations, batch_size=ROWS_A_STATEMENT)
    reports = [_report(activation, worker) for activation in activations for worker in WORKERS]
    WorkerReport.objects.bulk_create(reports, batch_size=ROWS_A_STATEMENT)


def _report(activation: Activation, worker: str) -> WorkerReport:
    loaded = activation.outcome == Activation.Outcome.ACTIVATED or worker != WORKERS[0]
    return WorkerReport(activation=activation, worker=worker, loaded=loaded, trace="" if loaded else TRACE, seconds=0.4)


def fill_people(count: int = USERS) -> None:
    """People of both groups, and one who may do all that the admin offers."""
    User.objects.create_superuser(NAME, password=PASSWORD)
    people = User.objects.bulk_create([User(username=f"person-{number}", is_staff=True) for number in range(count)])
    for group in Group.objects.all():
        group.user_set.add(*people[:: 1 if group.name == "viewer" else 3])
    AccessToken.objects.bulk_create(
        AccessToken(name=f"client-{number}", digest=f"{number:064x}", rights="predict,status")
        for number in range(count)
    )


def answer_no_more(count: int) -> None:
    """The latest requests were all refused: an overload."""
    latest = PredictionTiming.objects.order_by("-id").values_list("id", flat=True)[count : count + 1]
    refused = PredictionTiming.objects.filter(id__gt=next(iter(latest), 0))
    refused.update(outcome=PredictionTiming.Outcome.REFUSED, worker="")
