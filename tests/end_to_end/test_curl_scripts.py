"""Every curl script against a running service, from another folder: the answers are those the README shows."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from inference.supervision.addresses import free_ports
from tests.support.samples import samples
from tests.support.service import NOWHERE, Service, run, user_environment
from workers.settings import ROOT

SCRIPTS = sorted(path.name for path in (ROOT / "scripts").glob("*.sh") if not path.name.startswith("_"))


def answer(served: Service, script: str) -> dict[str, Any]:
    """What a script prints: one JSON object, and nothing else."""
    done = served.script(script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("}\n")
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_the_scripts_are_the_ones_that_are_tested_here() -> None:
    assert SCRIPTS == [
        "predict1.sh", "predict2.sh", "predict_wrong_tensor.sh", "set_weights1.sh", "set_weights2.sh",
        "set_weights3.sh", "set_weights_bad_base64.sh", "set_weights_bad_tensors.sh", "status.sh",
    ]  # fmt: skip


@pytest.mark.parametrize(("script", "total"), [("predict1.sh", 0.3), ("predict2.sh", 1.0)])
def test_a_prediction_is_the_sum(served: Service, script: str, total: float) -> None:
    said = answer(served, script)
    assert said["status"] is True
    assert said["message"] in {sample.nn_id for sample in samples()}
    assert said["result"] == pytest.approx(total, abs=0.01)


def test_a_row_of_three_numbers_fails_with_its_trace(served: Service) -> None:
    said = answer(served, "predict_wrong_tensor.sh")
    assert (said["status"], said["result"]) == (False, 0.0)
    trace = base64.b64decode(said["message"], validate=True).decode()
    assert trace.startswith("Traceback")
    assert "RowsError" in trace


@pytest.mark.parametrize("number", [2, 3, 1])
def test_a_sample_is_loaded_and_predicts(served: Service, number: int) -> None:
    loaded = answer(served, f"set_weights{number}.sh")
    assert (loaded["status"], loaded["message"], loaded["workers_count"]) == (True, "OK", 1)
    assert [worker["result"] for worker in loaded["workers"]] == [True]
    predicted = answer(served, "predict1.sh")
    assert (predicted["status"], predicted["message"]) == (True, samples()[number - 1].nn_id)


def test_text_that_is_no_base64_is_refused_with_400(served: Service, tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    (tmp_path / ".curlrc").write_text(f'dump-header = "{headers}"\n')
    before = answer(served, "predict1.sh")
    done = served.script("set_weights_bad_base64.sh", CURL_HOME=str(tmp_path))
    said = json.loads(done.stdout)
    assert headers.read_text().splitlines()[0].split()[1] == "400"
    assert said["status"] is False
    assert "not base64" in said["message"]
    assert answer(served, "predict1.sh") == before


def test_data_that_is_no_weights_file_is_refused_by_the_worker_with_its_trace(served: Service) -> None:
    before = answer(served, "predict1.sh")
    said = answer(served, "set_weights_bad_tensors.sh")
    assert (said["status"], said["workers_count"]) == (False, 1)
    assert said["message"] == "One or more workers were failed with weights loading"
    (worker,) = said["workers"]
    assert worker["result"] is False
    assert "WeightsError" in base64.b64decode(worker["trace"], validate=True).decode()
    assert answer(served, "predict1.sh") == before


def test_status_shows_the_queue_and_the_worker(served: Service) -> None:
    active = answer(served, "set_weights3.sh")
    said = answer(served, "status.sh")
    assert (said["status"], said["workers_count"], said["queue_requests_current"]) == (True, 1, 0)
    assert said["queue_requests_max"] > 0
    (worker,) = said["workers"]
    assert worker["worker"] == active["workers"][0]["worker"]
    assert worker["nn_id"] == samples()[2].nn_id
    assert worker["count_requests_handled"] >= 1


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(served: Service) -> None:
    done = served.script("predict1.sh", http_proxy=NOWHERE)
    assert json.loads(done.stdout)["status"] is True


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_a_server_a_script_fails_with_one_line(script: str, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    done = run(ROOT / "scripts" / script, cwd=tmp_path, env=user_environment(PIPELINE_URL=url))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"{script}: no server answers at {url}")
    assert done.stdout.strip() == ""
