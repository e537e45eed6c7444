"""What the environment tells a process, and how a value that cannot be read stops it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from environs import EnvError

from workers import settings as settings_module
from workers.settings import EMBEDDED_BROKER_URL, ROOT, Settings

#: The function behind the cache.
read_settings = settings_module.settings.__wrapped__
PREFIXES = ("PIPELINE_", "BROKER_URL", "DATABASE_URL")


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment and a folder that name nothing."""
    monkeypatch.setattr(settings_module, "ROOT", tmp_path)
    rest = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    with mock.patch.dict(os.environ, rest, clear=True):
        yield


def test_an_empty_environment_means_the_embedded_form() -> None:
    settings = read_settings()

    assert settings.embedded
    assert settings.broker_url == EMBEDDED_BROKER_URL
    assert (settings.request_timeout_seconds, settings.log_level) == (30.0, "INFO")


@pytest.mark.parametrize("url", ["", "memory://"])
def test_the_embedded_broker_may_be_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_URL", url)

    assert read_settings().broker_url == EMBEDDED_BROKER_URL


def test_another_broker_means_the_distributed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_URL", "amqp://guest:guest@rabbit//")

    settings = read_settings()

    assert (settings.embedded, settings.broker_url) == (False, "amqp://guest:guest@rabbit//")


@pytest.mark.parametrize("password", ["hunter#2", "hunter/2", "hunter?2"])
def test_a_brokers_address_that_is_none_is_refused_without_a_piece_of_its_password(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_URL", f"amqp://pipeline:{password}@rabbit//")

    with pytest.raises(EnvError, match="BROKER_URL") as refused:
        read_settings()

    assert "hunter" not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("url", ["amqp://u:p%232@[::1]:5672//", "amqp://u:p@one:5672//;amqp://u:p@two:5672//"])
def test_other_addresses_are_taken_as_they_are(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_URL", url)

    assert read_settings().broker_url == url


def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "BROKER_URL": "amqp://rabbit",
        "PIPELINE_REQUEST_TIMEOUT": "1.5",
        "PIPELINE_LOAD_TIMEOUT": "2.5",
        "PIPELINE_STATUS_TIMEOUT": "3.5",
        "PIPELINE_WORKER_CONCURRENCY": "4",
        "PIPELINE_WORKER_TENSORFLOW_THREADS": "5",
        "PIPELINE_WORKER_MEMORY": "6",
        "PIPELINE_WORKER_MAX_NETWORK_BYTES": "7",
        "PIPELINE_LOG_LEVEL": "DEBUG",
        "PIPELINE_LOG_FORMAT": "json",
        "PIPELINE_TASK_EVENTS": "true",
        "PIPELINE_MODULES": "team.layers, keras_hub,",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    shared = Settings("amqp://rabbit", 1.5, 2.5, 3.5, 4, 5, 6, 7, "DEBUG", "json", True)
    assert read_settings() == replace(shared, modules=("team.layers", "keras_hub"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIPELINE_REQUEST_TIMEOUT", "soon"),
        ("PIPELINE_REQUEST_TIMEOUT", "0"),
        ("PIPELINE_REQUEST_TIMEOUT", "nan"),
        ("PIPELINE_LOAD_TIMEOUT", "-1"),
        ("PIPELINE_STATUS_TIMEOUT", ""),
        ("PIPELINE_WORKER_CONCURRENCY", "2.5"),
        ("PIPELINE_WORKER_TENSORFLOW_THREADS", "0"),
        ("PIPELINE_WORKER_MEMORY", "all"),
        ("PIPELINE_WORKER_MAX_NETWORK_BYTES", "0"),
        ("PIPELINE_LOG_LEVEL", "LOUD"),
        ("PIPELINE_MODULES", "team/layers.py"),
        ("PIPELINE_MODULES", "team..layers"),
        ("PIPELINE_MODULES", "team.class"),
        ("PIPELINE_MODULES", "team layers"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_its_variables_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(EnvError, match=name):
        read_settings()


def test_the_file_beside_manage_py_completes_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PIPELINE_LOAD_TIMEOUT=7\nPIPELINE_STATUS_TIMEOUT=8\n")
    monkeypatch.setenv("PIPELINE_STATUS_TIMEOUT", "9")

    settings = read_settings()

    assert (settings.load_timeout_seconds, settings.status_timeout_seconds) == (7.0, 9.0)


def test_the_environment_is_read_once() -> None:
    assert settings_module.settings() is settings_module.settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIPELINE_QUEUE_REQUESTS_MAX", "many"),
        ("PIPELINE_WEIGHT_CHANGES_MAX", "0"),
        ("PIPELINE_MAX_UPLOAD_BYTES", "-5"),
        ("DATABASE_URL", "nonsense://x"),
        ("PIPELINE_GRPC_BIND", "54323"),
    ],
)
def test_a_gateway_does_not_start_with_a_value_it_cannot_read(name: str, value: str, tmp_path: Path) -> None:
    environment = {**os.environ, name: value, "PIPELINE_DATA_DIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", "import gateway_site.settings"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode != 0
    assert name in run.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BROKER_URL", "amqp://a:b#c@d"),
        ("PIPELINE_GATEWAY_PROCESSES", "0"),
        ("PIPELINE_MESSAGE_KEY", "short"),
        ("PIPELINE_REQUIRE_TOKEN", "perhaps"),
        ("PIPELINE_THROTTLE_PREDICT", "abc"),
    ],
)
def test_gunicorn_says_in_one_line_what_it_cannot_read(name: str, value: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "gateway_site/gunicorn.py", "gateway_site.asgi"],
        cwd=ROOT,
        env=os.environ | {name: value, "PIPELINE_DATA_DIR": str(tmp_path), "PIPELINE_BIND": "127.0.0.1:0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 1
    [line] = (run.stdout + run.stderr).splitlines()
    assert line.startswith("gunicorn: ")
    assert name in line
