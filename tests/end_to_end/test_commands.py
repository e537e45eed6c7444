"""The management commands as an operator types them: what they print, and one clear line when they fail."""

from __future__ import annotations

import base64
import json
import re
import shutil
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from inference.supervision.addresses import free_ports
from tests.support.samples import samples
from tests.support.service import Service, run, user_environment
from workers.settings import ROOT

NN_ID = "0123456789abcdef0123456789abcdef"
BAD_TENSORS = ROOT / "data" / "bad_tensors.b64"
FLAG_VARIABLES = {
    "--bind": "PIPELINE_BIND",
    "--data-dir": "PIPELINE_DATA_DIR",
    "--workers": "PIPELINE_WORKERS",
    "--amqp-port": "PIPELINE_AMQP_PORT",
}


def printed(served: Service, *arguments: str | Path) -> str:
    """What a command prints that succeeds."""
    done = served.manage(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def failure(served: Service, *arguments: str | Path) -> str:
    """The one line of a command that fails."""
    done = served.manage(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


def predicted_by(served: Service) -> str:
    """The network that answers now."""
    return str(served.client.predict([0.1, 0.2])["message"])


def test_load_weights_takes_the_network_from_the_files_name(served: Service) -> None:
    second = samples()[1]
    said = printed(served, "load_weights", second.file)
    assert re.fullmatch(rf"{second.nn_id} version \d+ is active, loaded by 1 worker\n", said)
    assert predicted_by(served) == second.nn_id


def test_load_weights_takes_the_network_that_is_given(served: Service, tmp_path: Path) -> None:
    file = tmp_path / "mine.b64"
    shutil.copy(samples()[2].file, file)
    assert f"{NN_ID} version " in printed(served, "load_weights", file, "--nn-id", NN_ID)
    assert predicted_by(served) == NN_ID


def test_a_damaged_file_is_not_uploaded(served: Service, tmp_path: Path) -> None:
    first = samples()[0]
    file = tmp_path / f"{first.nn_id}_00000000.b64"
    shutil.copy(first.file, file)
    before = served.client.predict([0.1, 0.2])
    assert f"{file} is damaged: the CRC-32 in its name" in failure(served, "load_weights", file)
    assert served.client.predict([0.1, 0.2]) == before


@pytest.mark.parametrize("nn_id", ["0123", NN_ID.upper()])
def test_an_id_that_is_none_is_refused_before_the_upload(served: Service, nn_id: str) -> None:
    said = failure(served, "load_weights", samples()[0].file, "--nn-id", nn_id)
    assert "--nn-id must be 32 lower-case hex digits" in said


def test_a_file_that_names_no_network_needs_an_id(served: Service) -> None:
    assert "give --nn-id" in failure(served, "load_weights", BAD_TENSORS)


def test_a_file_that_is_not_there_is_said(served: Service, tmp_path: Path) -> None:
    assert f"cannot read {tmp_path / 'none.b64'}: No such file" in failure(
        served, "load_weights", tmp_path / "none.b64"
    )


def test_a_file_that_is_no_base64_is_said(served: Service, tmp_path: Path) -> None:
    file = tmp_path / "weights.b64"
    file.write_text("This is no base64!")
    assert "not base64" in failure(served, "load_weights", file, "--nn-id", NN_ID)


def test_weights_that_the_worker_refuses_are_said_with_its_reason(served: Service) -> None:
    before = served.client.predict([0.1, 0.2])
    said = failure(served, "load_weights", BAD_TENSORS, "--nn-id", NN_ID)
    assert "One or more workers were failed with weights loading: " in said
    assert "WeightsError: the weights file cannot be read: " in said
    assert "neither .keras, .h5, .weights.h5, safetensors nor one of torch.save" in said
    assert served.client.predict([0.1, 0.2]) == before


def test_predict_prints_the_sum_and_who_made_it(served: Service) -> None:
    said = re.fullmatch(r"(\S+)  \(network (\S+), version (\d+)\)\n", printed(served, "predict", "0.3", "0.7"))
    assert said
    assert float(said[1]) == pytest.approx(1.0, abs=0.01)
    assert said[2] == predicted_by(served)


def test_predict_takes_negative_numbers(served: Service) -> None:
    assert "version" in printed(served, "predict", "-0.25", "-1")


def test_a_prediction_that_fails_is_said_with_its_reason(served: Service) -> None:
    assert "takes rows of shape (2,), got (3,)" in failure(served, "predict", "0.1", "0.2", "0.3")


def test_status_is_a_table(served: Service) -> None:
    served.client.predict([0.1, 0.2])
    lines = printed(served, "status").splitlines()
    assert re.fullmatch(r"requests waiting  0 of \d+", lines[0])
    assert re.fullmatch(r"handling time     \d+\.\d\d ms, mean of the last 100 requests", lines[1])
    assert lines[2] == "workers           1"
    assert lines[4].split()[:4] == ["WORKER", "NETWORK", "VERSION", "REQUESTS"]
    assert lines[5].split()[:2] == ["worker@embedded", predicted_by(served)]


def test_status_as_json_is_the_answer_of_the_gateway(served: Service) -> None:
    said, answered = json.loads(printed(served, "status", "--json")), served.client.status()
    assert said.keys() == answered.keys()
    assert said["workers"][0].keys() == answered["workers"][0].keys()
    assert (said["status"], said["workers_count"]) == (True, 1)


def test_networks_lists_each_one_and_marks_the_default(served: Service) -> None:
    first = samples()[0].nn_id
    printed(served, "load_weights", samples()[0].file)
    head, *rows = [line.split() for line in printed(served, "networks").splitlines()]
    assert head[:3] == ["NETWORK", "ACTIVE", "VERSIONS"]
    assert first in [row[0] for row in rows]
    assert [row[0] for row in rows if row[-1] == "default"] == [first]


def test_networks_needs_a_database_only_and_says_when_it_is_empty(served: Service, tmp_path: Path) -> None:
    env = user_environment(PIPELINE_DATA_DIR=str(tmp_path / "var"))
    made = run(sys.executable, ROOT / "manage.py", "migrate", "--verbosity", "0", cwd=tmp_path, env=env)
    assert (made.returncode, made.stderr) == (0, "")
    done = run(sys.executable, ROOT / "manage.py", "networks", cwd=tmp_path, env=env)
    assert done.stdout.startswith("No network yet: upload weights with")


def test_an_earlier_version_is_activated_rolled_back_from_and_exported(served: Service, tmp_path: Path) -> None:
    nn_id = uuid4().hex
    for sample in samples()[:2]:
        file = tmp_path / f"{nn_id}.b64"
        shutil.copy(sample.file, file)
        printed(served, "load_weights", file, "--nn-id", nn_id)
    assert served.client.predict([0.1, 0.2])["version"] == 2

    said = printed(served, "activate", nn_id, "1")
    assert said == f"{nn_id} version 1 is active, loaded by 1 worker\n"
    assert served.client.predict([0.1, 0.2])["version"] == 1
    head, second, first = [line.split() for line in printed(served, "networks", nn_id).splitlines()]
    assert head[:2] == ["VERSION", "STATE"]
    assert (first[:2], first[-1], second[:2]) == (["1", "loaded"], "active", ["2", "loaded"])

    assert printed(served, "rollback", nn_id) == f"{nn_id} version 2 is active, loaded by 1 worker\n"
    # The activation is taken back; then it is the upload of 2.
    assert f"{nn_id} version 1 is active" in printed(served, "rollback", nn_id)

    file = tmp_path / "exported.weights.h5"
    said = printed(served, "export_weights", nn_id, "--of-version", "1", "--output", file)
    exported = base64.b64decode(samples()[0].file.read_bytes())
    assert said == f"{file}: {nn_id} version 1, {len(exported)} bytes\n"
    assert file.read_bytes() == exported
    assert "exists: --force writes over it" in failure(served, "export_weights", nn_id, "--output", file)
    assert f"{nn_id} version 3 is active" in printed(served, "load_weights", file, "--nn-id", nn_id)


def test_what_is_no_version_is_said(served: Service) -> None:
    nn_id = uuid4().hex
    assert f"refused with 404: there is no version 1 of network {nn_id}" in failure(served, "activate", nn_id, "1")
    assert f"refused with 404: there is no network {nn_id}" in failure(served, "rollback", nn_id)
    assert f"there is no network {nn_id}" in failure(served, "networks", nn_id)
    assert f"there is no network {nn_id}" in failure(served, "export_weights", nn_id)
    assert "refused with 404: there is no version 1 of network x" in failure(served, "activate", "x", "1")
    said = served.manage("activate", "no name", "1").stderr
    assert "a network's id is 32 lower-case hex digits" in said
    assert "not 'no name'" in said


def test_a_network_that_is_trained_here_is_loaded_and_predicts(served: Service, tmp_path: Path) -> None:
    where = tmp_path / "trained"
    flags = ("--epochs", "2", "--batch-size", "5", "--seed", "1", "--nn-id", NN_ID, "--output-dir", where)
    trained = served.manage("train_network", *flags)
    assert trained.returncode == 0, trained.stderr
    (file,) = where.iterdir()
    assert re.fullmatch(rf"{NN_ID}_[0-9a-f]{{8}}\.b64", file.name)
    assert trained.stdout.startswith(f"{file}: worst error ")
    assert "Epoch" in trained.stderr
    assert f"{NN_ID} version " in printed(served, "load_weights", file)
    result, _, who = printed(served, "predict", "0.3", "0.7").partition("  ")
    assert float(result) == pytest.approx(1.0, abs=0.5)
    assert NN_ID in who


@pytest.mark.parametrize("command", ["load_weights", "predict", "status", "activate", "rollback"])
def test_without_a_gateway_a_command_fails_with_one_line(command: str, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    words = {
        "load_weights": [samples()[0].file],
        "predict": ["0.1", "0.2"],
        "status": [],
        "activate": [NN_ID, "1"],
        "rollback": [NN_ID],
    }[command]
    env = user_environment(PIPELINE_DATA_DIR=str(tmp_path / "var"))
    done = run(sys.executable, ROOT / "manage.py", command, *words, "--url", url, cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"CommandError: no gateway answers at {url}: start one with scripts/serve\n"


@pytest.mark.parametrize("command", ["serve", "cluster"])
@pytest.mark.parametrize("way", ["script", "manage.py"])
def test_help_explains_every_flag_with_its_variable(command: str, way: str, tmp_path: Path) -> None:
    script = [ROOT / "scripts" / command] if way == "script" else [sys.executable, ROOT / "manage.py", command]
    done = run(*script, "-h", cwd=tmp_path, env=user_environment(COLUMNS="200"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Ctrl-C stops" in done.stdout
    flags = FLAG_VARIABLES if command == "cluster" else {"--bind": "PIPELINE_BIND", "--data-dir": "PIPELINE_DATA_DIR"}
    for flag, variable in flags.items():
        assert re.search(rf"^  {flag} [A-Z:]+ .*\(environment: {variable}; default", done.stdout, re.MULTILINE), flag
