"""Everything that happened is in the database, on SQLite and on PostgreSQL, and survives a restart of everything."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.supervision.rabbitmq import PrivateNode
from tests.integration.conftest import running
from tests.support.samples import samples
from tests.support.system import System, clean_environment
from tests.support.waiting import wait_until
from workers.settings import ROOT

BAD_ID = "f" * 32


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def recorded(
    request: pytest.FixtureRequest, rabbitmq: PrivateNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Two workers, two gateway processes, on either database."""
    url = request.getfixturevalue("postgresql").url if request.param == "postgresql" else ""
    yield from running(System(tmp_path_factory.mktemp(request.param), rabbitmq.url, url), workers=2)


def test_uploads_reports_and_timings_are_recorded_and_survive(recorded: System) -> None:
    first = samples()[0]
    content = first.file.read_bytes()
    assert recorded.client.set_weights(first.nn_id, first.file.name, content)["status"] is True
    assert recorded.client.set_weights(BAD_ID, "bad.b64", b64encode(b"no weights"))["status"] is False
    for number in range(20):
        assert recorded.client.predict([number / 20, 0.5])["message"] == first.nn_id
    before = recorded.client.predict([0.1, 0.2])

    uploads = recorded.query(
        "[[v.network_id, v.number, v.file_name, v.weights.size, v.weights_id, v.state, v.uploaded_at.isoformat(), "
        "[[r.loaded, r.trace] for r in v.activations.get().reports.all()]] for v in Version.objects.order_by('id')]"
    )
    good, bad = uploads
    decoded = b64decode(content)
    assert good[:6] == [first.nn_id, 1, first.file.name, len(decoded), hashlib.sha256(decoded).hexdigest(), "loaded"]
    assert good[7] == [[True, ""], [True, ""]]
    assert bad[:4] == [BAD_ID, 1, "bad.b64", 10]
    assert bad[5] == "failed"
    assert [loaded for loaded, _ in bad[7]] == [False, False]
    assert all("WeightsError" in trace for _, trace in bad[7])

    count = f"PredictionTiming.objects.filter(outcome='answered', nn_id='{first.nn_id}', version=1).count()"
    wait_until(lambda: recorded.query(count) == 21, 20, "21 timings are written")
    row = recorded.query("list(PredictionTiming.objects.values_list('total_ms', 'inference_ms', 'rows', 'worker'))")[0]
    assert row[0] > row[1] > 0
    assert row[2] == 1
    assert "@" in row[3]

    recorded.stop()
    recorded.workers.clear()
    recorded.start(workers=2)
    assert recorded.client.predict([0.1, 0.2]) == before


def test_hosts_that_migrate_at_once_take_turns(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    environment = clean_environment() | {
        "DATABASE_URL": request.getfixturevalue("postgresql").new_database("raced"), "PIPELINE_DATA_DIR": str(tmp_path)
    }  # fmt: skip
    command = [sys.executable, "manage.py", "migrate", "--no-color"]
    started = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(3)
    ]
    said = [each.communicate(timeout=120)[0] for each in started]

    assert [each.returncode for each in started] == [0, 0, 0], said
    assert sum("Applying inference.0001_initial" in each for each in said) == 1
    assert "Another migrate is at work on this database" in "".join(said)
