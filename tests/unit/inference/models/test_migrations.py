"""Databases that were filled before a migration keep what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from inference.statistics.histogram import bucket_of, to_bytes
from inference.statistics.summary import by_worker, summary
from tests.unit.samples import NN_ID, OTHER_NN_ID

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
BEFORE_TOTALS, TOTALS = [("inference", "0007_permissions")], [("inference", "0008_rollups_of_every_network")]
BEFORE_NAMES, NAMES = (
    [("inference", "0011_version_terms_and_remarks")],
    [("inference", "0012_names_labels_signatures_doors")],
)
BEFORE, AFTER = [("inference", "0001_initial")], [("inference", "0004_reports_of_activations")]


def migrate(target: list[tuple[str, str]]) -> Any:
    """Bring the database to a state; the models as they are then."""
    executor = MigrationExecutor(connection)
    executor.migrate(target)
    return executor.loader.project_state(target).apps


@pytest.fixture
def before() -> Iterator[Any]:
    """The models of the first migration, on an empty database; afterwards it is up to date again."""
    call_command("migrate", "inference", "zero", verbosity=0)
    yield migrate(BEFORE)
    call_command("migrate", verbosity=0)


def fill(apps: Any) -> None:
    """Two networks: versions that were loaded, that failed, and that nobody was asked for."""

    def model(name: str) -> Any:
        return apps.get_model("inference", name)

    file = model("StoredFile").objects.create(digest="a" * 64, size=1)

    def upload(nn_id: str, number: int, state: str, **reports: bool) -> Any:
        network, _ = model("Network").objects.get_or_create(nn_id=nn_id)
        version = model("Version").objects.create(
            network=network, number=number, weights=file, architecture=file, file_name="w.b64", state=state
        )
        for worker, loaded in reports.items():
            name = "(silent)" if worker == "silent" else worker
            model("WorkerReport").objects.create(version=version, worker=name, loaded=loaded, seconds=0.5, trace="t")
        return version

    upload(NN_ID, 1, "loaded", w1=True)
    upload(OTHER_NN_ID, 1, "loaded", w1=True)
    upload(NN_ID, 2, "failed", w1=True, w2=False, silent=False)
    upload(NN_ID, 3, "pending")
    upload(OTHER_NN_ID, 2, "pending", w1=True)
    last = upload(NN_ID, 4, "loaded", w1=True, w2=True)
    model("Network").objects.filter(nn_id=NN_ID).update(active=last)


def test_reports_from_before_activations_are_kept_by_one_that_is_made_for_them(before: Any) -> None:
    fill(before)

    after = migrate(AFTER)

    activations = after.get_model("inference", "Activation").objects.order_by("id")
    assert [
        (
            one.version.network_id, one.version.number, one.outcome, one.previous and one.previous.number,
            one.workers_asked, one.workers_answered, sorted(one.reports.values_list("worker", "loaded")),
        )
        for one in activations
    ] == [
        (NN_ID, 1, "activated", None, 1, 1, [("w1", True)]),
        (OTHER_NN_ID, 1, "activated", None, 1, 1, [("w1", True)]),
        (NN_ID, 2, "failed", 1, 3, 2, [("(silent)", False), ("w1", True), ("w2", False)]),
        (OTHER_NN_ID, 2, "unavailable", 1, 1, 1, [("w1", True)]),
        (NN_ID, 4, "activated", 1, 2, 2, [("w1", True), ("w2", True)]),
    ]  # fmt: skip
    assert all(one.started_at == one.version.uploaded_at and one.seconds == 0.5 for one in activations)
    assert after.get_model("inference", "WorkerReport").objects.filter(trace="t").count() == 8
    assert after.get_model("inference", "Network").objects.get(nn_id=NN_ID).active.number == 4


def test_a_database_goes_back_with_its_reports(before: Any) -> None:
    fill(before)
    migrate(AFTER)

    reports = migrate(BEFORE).get_model("inference", "WorkerReport").objects

    assert reports.filter(version__network_id=NN_ID, version__number=2, loaded=False).count() == 2
    assert reports.count() == 8


def test_an_empty_database_is_migrated(before: Any) -> None:
    after = migrate(AFTER)

    assert not after.get_model("inference", "Activation").objects.exists()


def test_statistics_from_before_there_were_rows_of_all_networks_are_summed_up(before: Any) -> None:
    rollups = migrate(BEFORE_TOTALS).get_model("inference", "Rollup").objects
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for nn_id, version, worker, ms in ((NN_ID, 1, "w1", 2.0), (NN_ID, 2, "w1", 4.0), (OTHER_NN_ID, 1, "w2", 8.0)):
        rollups.create(
            period_seconds=3600, start=noon, nn_id=nn_id, version=version, worker=worker, writer="x", answered=1,
            failed=1, timed_out=0, refused=0, rows=1, total_ms=ms, queue_ms=1, inference_ms=1,
            histogram=to_bytes({bucket_of(ms): 1}),
        )  # fmt: skip

    migrate(TOTALS)

    whole, workers = summary(noon, noon + HOUR), by_worker(noon, noon + HOUR)
    assert (whole.count, whole.errors, whole.mean_ms) == (6, 3, pytest.approx(14 / 3))
    assert whole.p50_ms == pytest.approx(4.0, rel=0.02)
    assert {name: one.count for name, one in workers.items()} == {"w1": 4, "w2": 2}
    assert migrate(BEFORE_TOTALS).get_model("inference", "Rollup").objects.count() == 3


def test_networks_versions_and_requests_from_before_there_were_names_have_none(before: Any) -> None:
    apps = migrate(BEFORE_NAMES)
    file = apps.get_model("inference", "StoredFile").objects.create(digest="a" * 64, size=1)
    for nn_id in (NN_ID, OTHER_NN_ID):  # two: they are not both called nothing
        network = apps.get_model("inference", "Network").objects.create(nn_id=nn_id)
        apps.get_model("inference", "Version").objects.create(
            network=network, number=1, weights=file, architecture=file, file_name="w", state="loaded", remarks=["r"]
        )
    timing = {"rows": 1, "batch_rows": 1, "total_ms": 2.0, "queue_ms": 0.5, "inference_ms": 0.5, "outcome": "answered"}
    timings = apps.get_model("inference", "PredictionTiming").objects
    timings.create(at=datetime(2026, 11, 24, 12, tzinfo=UTC), nn_id=NN_ID, **timing)

    after = migrate(NAMES)

    networks, versions, timings = (
        after.get_model("inference", name).objects for name in ("Network", "Version", "PredictionTiming")
    )
    assert list(networks.order_by("nn_id").values_list("nn_id", "name")) == [(NN_ID, None), (OTHER_NN_ID, None)]
    assert list(versions.values_list("remarks", "signature")) == [(["r"], None)] * 2
    assert timings.get().door == ""
    assert migrate(BEFORE_NAMES).get_model("inference", "Version").objects.count() == 2


def test_no_model_has_changed_without_a_migration() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
