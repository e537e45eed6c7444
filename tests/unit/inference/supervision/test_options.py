"""What serve and cluster are told: addresses, the data directory, flags and variables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from environs import EnvError

from inference.supervision import data_directory, first_answer
from inference.supervision.addresses import Bind
from inference.supervision.errors import BindError, StartError
from inference.supervision.options import (
    ClusterOptions,
    default_processes,
    read_cluster_options,
    read_gateway_options,
    read_serve_options,
)
from inference.supervision.rabbitmq import PrivateNode


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("127.0.0.1:54321", "127.0.0.1", 54321, "http://127.0.0.1:54321"),
        ("localhost:80", "localhost", 80, "http://localhost:80"),
        ("0.0.0.0:8000", "0.0.0.0", 8000, "http://127.0.0.1:8000"),
        (":8000", "", 8000, "http://127.0.0.1:8000"),
        ("[::1]:8000", "::1", 8000, "http://[::1]:8000"),
        ("[::]:8000", "::", 8000, "http://[::1]:8000"),
    ],
)
def test_an_address_to_listen_on_is_read(text: str, host: str, port: int, url: str) -> None:
    assert Bind.parse(text) == Bind(host, port)
    assert Bind.parse(text).url == url


@pytest.mark.parametrize("text", ["", "host", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "unix:/a/b", "1:٣"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BindError, match=r"write it like 127\.0\.0\.1:54321"):
        Bind.parse(text)


@pytest.mark.parametrize("text", ["54323", ":54323", "127.0.0.1:0", "here"])
def test_an_address_for_grpc_has_a_host_and_a_port(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_GRPC_BIND", text)
    with pytest.raises(BindError, match=r"PIPELINE_GRPC_BIND: .* write it like 127\.0\.0\.1:"):
        read_serve_options({})


def test_where_grpc_is_answered_beyond_loopback_tokens_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPELINE_REQUIRE_TOKEN", raising=False)
    assert not read_serve_options({"bind": "127.0.0.1:54321"}).tokens_required
    monkeypatch.setenv("PIPELINE_GRPC_BIND", "0.0.0.0:54323")
    assert read_serve_options({"bind": "127.0.0.1:54321"}).tokens_required


def test_a_relative_data_directory_starts_at_the_caller_for_a_flag_and_at_the_repository_for_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = Path("/repository")
    assert data_directory.choose("here", "there", root) == tmp_path / "here"
    assert data_directory.choose(None, "there", root) == root / "there"
    assert data_directory.choose(None, "", root) == root / "var"


def test_a_data_directory_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"^cannot write to the data directory [^\n]*--data-dir$"):
        data_directory.prepare(tmp_path / "file" / "var")


def test_a_data_directory_is_held_by_one_at_a_time_and_free_again_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    with (
        data_directory.held(folder),
        pytest.raises(StartError, match=rf"^the data directory \S+ is in use [^\n]*\(process {os.getpid()}\)[^\n]*$"),
        data_directory.held(folder),
    ):
        raise AssertionError("both hold it")
    with data_directory.held(folder), data_directory.held(tmp_path / "other"):
        pass


def test_a_program_that_is_started_meanwhile_does_not_hold_the_data_directory(tmp_path: Path) -> None:
    with data_directory.held(tmp_path):
        child = subprocess.Popen(
            [sys.executable, "-c", "input(1)"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
        )
    try:
        assert child.stdout is not None
        assert child.stdout.read(1) == b"1"
        with data_directory.held(tmp_path):
            pass
    finally:
        child.communicate(b"\n")


@pytest.mark.parametrize("name", ["PIPELINE_GATEWAY_PROCESSES", "PIPELINE_CLIENT_TIMEOUT"])
@pytest.mark.parametrize("value", ["0", "-1", "some", "nan"])
def test_what_gunicorn_could_not_read_stops_serve_and_cluster_by_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    for read in (read_gateway_options, lambda: read_serve_options({}), lambda: read_cluster_options({})):
        with pytest.raises(EnvError, match=name):
            read()


def test_a_brokers_address_is_shown_without_its_password() -> None:
    url = "amqp://user:secret@one:5672//;amqp://user:secret@two//"
    assert first_answer.without_password(url) == "amqp://user:**@one:5672//;amqp://user:**@two//"
    assert first_answer.without_password("amqp://one//") == "amqp://one//"


def test_flags_win_over_the_environment_and_that_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIPELINE_BIND", "PIPELINE_DATA_DIR", "PIPELINE_WORKERS", "PIPELINE_AMQP_PORT"):
        monkeypatch.delenv(name, raising=False)
    defaults = read_cluster_options({})
    assert (str(defaults.bind), defaults.workers, defaults.amqp_port) == ("127.0.0.1:54321", 2, 25679)
    monkeypatch.setenv("PIPELINE_BIND", "127.0.0.1:1111")
    monkeypatch.setenv("PIPELINE_WORKERS", "3")
    monkeypatch.setenv("PIPELINE_AMQP_PORT", "0")
    said = read_cluster_options({"bind": None, "workers": None, "amqp_port": None})
    assert (str(said.bind), said.workers, said.amqp_port) == ("127.0.0.1:1111", 3, 0)
    flagged = read_cluster_options({"bind": "127.0.0.1:2222", "workers": 1, "amqp_port": 0, "install": True})
    assert isinstance(flagged, ClusterOptions)
    assert (str(flagged.bind), flagged.workers, flagged.amqp_port, flagged.install) == ("127.0.0.1:2222", 1, 0, True)
    assert str(read_serve_options({}).bind) == "127.0.0.1:1111"


def test_two_directories_make_two_node_names_and_one_directory_always_the_same(tmp_path: Path) -> None:
    one, other = PrivateNode(tmp_path / "one"), PrivateNode(tmp_path / "other")
    assert one.node_name != other.node_name
    assert one.node_name == PrivateNode(tmp_path / "x" / ".." / "one").node_name
    assert one.node_name.endswith("@localhost")


@pytest.mark.parametrize(
    ("bind", "variables", "required"),
    [
        ("127.0.0.1:80", {}, False),
        ("localhost:80", {}, False),
        ("[::1]:80", {}, False),
        ("127.0.0.1:80", {"PIPELINE_REQUIRE_TOKEN": "true"}, True),
        ("0.0.0.0:80", {}, True),
        (":80", {}, True),
        ("[::]:80", {}, True),
        ("gateway.example.com:80", {}, True),
        ("0.0.0.0:80", {"PIPELINE_REQUIRE_TOKEN": "false", "PIPELINE_ALLOW_OPEN": "true"}, False),
    ],
)
def test_beyond_loopback_tokens_are_required(
    bind: str, variables: dict[str, str], required: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert read_serve_options({"bind": bind}).tokens_required is required
    assert read_cluster_options({"bind": bind}).tokens_required is required


def test_nothing_starts_that_would_be_open_to_everybody_by_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_REQUIRE_TOKEN", "false")

    read_serve_options({"bind": "127.0.0.1:80"})
    with pytest.raises(BindError, match=r"^PIPELINE_REQUIRE_TOKEN=false would let in everybody who reaches 0.0.0.0:80"):
        read_serve_options({"bind": "0.0.0.0:80"})


@pytest.mark.parametrize(("cores", "processes"), [(None, 1), (1, 1), (2, 1), (4, 2), (7, 3), (64, 4)])
def test_half_of_the_processors_are_for_gateway_processes(
    cores: int | None, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    assert default_processes() == processes
