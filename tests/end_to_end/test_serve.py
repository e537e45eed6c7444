"""`scripts/serve` from the first start to Ctrl-C, a second start without a network, and every way it cannot start."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from inference.supervision.addresses import Bind, free_ports
from tests.support.samples import samples
from tests.support.service import NOWHERE, Service, run, user_environment
from workers.settings import ROOT

#: What issue 2 promises.
SECOND_START_SECONDS = 15.0
SERVE = ROOT / "scripts" / "serve"
NO_NETWORK = {
    "PIP_INDEX_URL": NOWHERE,
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_NO_INDEX": "1",
    "http_proxy": NOWHERE,
    "https_proxy": NOWHERE,
    "HTTPS_PROXY": NOWHERE,
}


@dataclass(frozen=True)
class Run:
    """What one start said and answered, and what was left when it had been stopped."""

    url: str
    output: str
    answer: dict[str, Any]
    ending: str
    left: list[str]


def answer_of_curl_line(service: Service) -> dict[str, Any]:
    """What the very line answers that the script has printed for copying."""
    line = service.wait_for(r"\n  (curl .*)\n")[1]
    done = run("bash", "-c", line, cwd=service.elsewhere, env=user_environment())
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both starts keep their data."""
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def first(directory: Path) -> Iterator[Run]:
    """A start with an empty data directory, then an upload of the second sample, then Ctrl-C."""
    service = Service("serve", directory)
    try:
        answer = answer_of_curl_line(service.start())
        uploaded = service.script("set_weights2.sh")
        assert json.loads(uploaded.stdout)["status"] is True
        yield Run(service.url, service.output, answer, service.press_ctrl_c(), service.command_lines())
    finally:
        service.stop()


@pytest.fixture(scope="module")
def second(directory: Path, first: Run) -> Iterator[Run]:
    """A start with the data of the first and no way to a network, then SIGTERM."""
    service = Service("serve", directory, **NO_NETWORK)
    try:
        answer = answer_of_curl_line(service.start())
        yield Run(service.url, service.output, answer, service.terminate(), service.command_lines())
    finally:
        service.stop()


def test_a_start_tells_what_it_does_and_where_it_answers(first: Run, directory: Path) -> None:
    for step in ("preparing the database: ", "starting the gateway and 1 worker: ", "asking for a prediction: "):
        assert step in first.output
    assert f"Pipeline answers at {first.url}\n" in first.output
    assert f"logs:  {directory / 'var' / 'log'}\n" in first.output
    assert (directory / "var" / "log" / "gateway.log").exists()


def test_the_first_start_loads_the_first_sample(first: Run) -> None:
    assert f"no network was active: loaded the sample {samples()[0].nn_id}\n" in first.output


def test_the_curl_line_it_prints_works_as_it_stands(first: Run) -> None:
    assert (first.answer["status"], first.answer["message"]) == (True, samples()[0].nn_id)
    assert first.answer["result"] == pytest.approx(0.3, abs=0.01)


def test_a_second_start_needs_no_network_and_no_upload(second: Run) -> None:
    assert "installing" not in second.output
    assert f"the default network is {samples()[1].nn_id}\n" in second.output
    assert (second.answer["status"], second.answer["message"]) == (True, samples()[1].nn_id)


def test_a_second_start_answers_within_15_seconds_and_runs_no_pip(directory: Path, second: Run) -> None:
    pip_log = directory / "pip.log"  # pip writes there whatever it is asked for
    environment = NO_NETWORK | {"PIP_LOG": str(pip_log)}
    took = [second_start_seconds(directory, **environment)]
    if took[0] >= SECOND_START_SECONDS:
        took.append(second_start_seconds(directory, **environment))
    print(f"seconds from a second start to its first answer: {took}")
    assert not pip_log.exists(), pip_log.read_text()
    assert min(took) < SECOND_START_SECONDS
    asked = run(sys.executable, "-m", "pip", "list", cwd=directory, env=user_environment(**environment))
    assert (asked.returncode, pip_log.exists()) == (0, True), asked.stderr


def second_start_seconds(directory: Path, **settings: str) -> float:
    """How long a start takes until its curl line has answered."""
    service = Service("serve", directory, **settings)
    started = time.monotonic()
    try:
        assert answer_of_curl_line(service.start())["status"] is True
        return time.monotonic() - started
    finally:
        service.stop()


def test_a_second_service_on_the_same_data_is_refused_in_one_line_and_the_first_goes_on(tmp_path: Path) -> None:
    service = Service("serve", tmp_path)
    try:
        service.start()
        for script in ("serve", "cluster"):
            here = ("--bind", "127.0.0.1:0", "--data-dir", service.data_dir)
            done = run(ROOT / "scripts" / script, *here, cwd=tmp_path, env=user_environment())
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
            assert f"{script}: the data directory {service.data_dir} is in use by another Pipeline" in done.stderr
        assert answer_of_curl_line(service)["status"] is True
    finally:
        service.stop()


def test_a_broker_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    broker = f"127.0.0.1:{free_ports(1)[0]}"
    service = Service("serve", tmp_path, BROKER_URL=f"amqp://user:secret@{broker}//")
    try:
        service.start()
        said = service.wait_for(r"\n(The broker at .*)\n")[1]
        assert f"The broker at amqp://user:**@{broker}// cannot be reached; the gateway keeps trying" in said
        assert "Pipeline answers" not in service.output
        assert "No worker" not in service.output
        assert "secret" not in service.output
        assert service.terminate() == "exit status 0"
    finally:
        service.stop()


@pytest.mark.parametrize("stopped_by", ["Ctrl-C", "SIGTERM"])
def test_it_stops_cleanly(stopped_by: str, request: pytest.FixtureRequest) -> None:
    stopped: Run = request.getfixturevalue("first" if stopped_by == "Ctrl-C" else "second")
    assert stopped.ending == "exit status 0"
    assert stopped.left == []
    bind = Bind.parse(stopped.url.removeprefix("http://"))
    assert bind.claim() == bind


def failed_start(tmp_path: Path, *flags: str | Path, **settings: str) -> str:
    """The one line of a start that fails at once."""
    done = run(SERVE, "--data-dir", tmp_path / "var", *flags, cwd=tmp_path, env=user_environment(**settings))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("serve: ")
    assert "Traceback" not in done.stdout
    return done.stderr


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        bind = f"127.0.0.1:{server.getsockname()[1]}"
        said = failed_start(tmp_path, "--bind", bind)
    assert f"{bind} is taken by another program; choose another address with --bind" in said


@pytest.mark.parametrize("bind", ["nowhere", "127.0.0.1:port", "127.0.0.1:65536"])
def test_an_address_that_is_none_is_said_in_one_line(tmp_path: Path, bind: str) -> None:
    assert f"{bind!r} is no address to listen on" in failed_start(tmp_path, "--bind", bind)


def test_a_data_directory_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = failed_start(tmp_path, "--bind", "127.0.0.1:0", "--data-dir", tmp_path / "file" / "var")
    assert f"cannot write to the data directory {tmp_path / 'file' / 'var'}" in said


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PIPELINE_REQUEST_TIMEOUT", "soon"),
        ("PIPELINE_REQUEST_TIMEOUT", "-1"),
        ("PIPELINE_LOG_LEVEL", "loud"),
        ("PIPELINE_QUEUE_REQUESTS_MAX", "many"),
        ("PIPELINE_GATEWAY_PROCESSES", "0"),
        ("PIPELINE_CLIENT_TIMEOUT", "0"),
        ("DATABASE_URL", "somewhere"),
    ],
)
def test_a_setting_that_cannot_be_read_is_said_in_one_line_with_its_name(
    tmp_path: Path, variable: str, value: str
) -> None:
    assert variable in failed_start(tmp_path, "--bind", "127.0.0.1:0", **{variable: value})


def failed_start_of_copy(tmp_path: Path, on_request: str) -> subprocess.CompletedProcess[str]:
    """A start in a clone without .venv, with a Python that lets a shell `case` look at its arguments first."""
    clone = tmp_path / "clone"
    (clone / "scripts").mkdir(parents=True)
    for name in ("serve", "_environment.sh"):
        shutil.copy(ROOT / "scripts" / name, clone / "scripts")
    (clone / "requirements.txt").touch()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in {on_request} esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = run(clone / "scripts" / "serve", cwd=tmp_path, env=user_environment(PIPELINE_PYTHON=str(python)))
    assert done.returncode == 1
    return done


def test_a_missing_python3_venv_is_said_in_one_line(tmp_path: Path) -> None:
    done = failed_start_of_copy(tmp_path, "*ensurepip*) exit 1;;")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("serve: ")
    assert "apt-get install python3-venv" in done.stderr


def test_a_venv_that_cannot_be_made_is_said_in_the_last_line(tmp_path: Path) -> None:
    done = failed_start_of_copy(tmp_path, "'-m venv '*) echo 'a long explanation'; exit 1;;")
    assert done.stdout == ""
    progress, said = done.stderr.splitlines()
    assert progress.startswith("making .venv")
    assert said.startswith("serve: could not make ")
