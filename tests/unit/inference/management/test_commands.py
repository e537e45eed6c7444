"""The management commands that ask a gateway: what they print, and one line and exit status 1 when it fails."""

from __future__ import annotations

import base64
import json
from io import StringIO
from pathlib import Path
from typing import IO, Any

import pytest
from django.core.management import CommandError, call_command

from inference.client.http_client import ClientError
from inference.management import client as client_module
from inference.management.table import table
from inference.management.weights_name import WeightsName
from tests.unit.samples import NN_ID, OTHER_NN_ID

URL = "http://127.0.0.1:1"
WEIGHTS = b"weights"
TRACE = base64.b64encode(b"Traceback (most recent call last):\n  ...\nRowsError: three numbers\n").decode()


class PretendedClient:
    """Answers what it is told to, and notes what it was sent."""

    answer: Any = {}
    sent: list[Any] = []

    tokens: list[str] = []

    def __init__(self, url: str, timeout_seconds: float, token: str) -> None:
        self.url = url
        self.tokens.append(token)

    def _answer(self, *sent: Any, **named: Any) -> Any:
        self.sent.append((self.url, *sent, *([named] if named else [])))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    predict = status = activate = rollback = name_network = label = remove_label = _answer

    def set_weights(
        self, nn_id: str | None, file_name: str, body: IO[bytes], *, name: str | None, order: str, expect: str
    ) -> Any:
        body.seek(0)
        return self._answer(nn_id, file_name, body.read(), *filter(None, (name, order, expect)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> type[PretendedClient]:
    monkeypatch.setattr(PretendedClient, "sent", [])
    monkeypatch.setattr(client_module, "PipelineClient", PretendedClient)
    return PretendedClient


def run(name: str, *arguments: str) -> str:
    output = StringIO()
    call_command(name, *arguments, "--url", URL, stdout=output)
    return output.getvalue()


def test_predict_prints_the_result_and_what_made_it(asked: type[PretendedClient]) -> None:
    asked.answer = {"status": True, "message": NN_ID, "result": 1.0000178813934326, "version": 3}

    assert run("predict", "0.3", "0.7") == f"1.0000178813934326  (network {NN_ID}, version 3)\n"
    assert asked.sent == [(URL, {"vector": [0.3, 0.7], "nn_id": None, "version": None})]


@pytest.mark.parametrize("given", [["--data", "[[1, 2], [3, 4]]"], ["--data", "-"]], ids=["argument", "stdin"])
def test_predict_takes_rows_a_network_and_a_version(
    given: list[str], asked: type[PretendedClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("[[1, 2],\n [3, 4]]\n"))
    asked.answer = {"status": True, "message": OTHER_NN_ID, "result": {"a": [3.0, True]}, "version": 2}

    printed = run("predict", *given, "--nn-id", OTHER_NN_ID, "--of-version", "2")

    assert printed == f'{{"a": [3.0, true]}}  (network {OTHER_NN_ID}, version 2)\n'
    assert asked.sent == [(URL, {"data": [[1, 2], [3, 4]], "nn_id": OTHER_NN_ID, "version": 2})]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([], "either"),
        (["1", "--data", "[1]"], "either"),
        (["--data", "[1"], "--data is no JSON"),
        (["--data", ""], "no JSON"),
    ],
)
def test_predict_asks_nothing_without_exactly_one_kind_of_rows(
    given: list[str], line: str, asked: type[PretendedClient]
) -> None:
    with pytest.raises(CommandError, match=line):
        run("predict", *given)
    assert asked.sent == []


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ({"status": False, "message": TRACE, "result": 0.0}, "^RowsError: three numbers$"),
        ({"status": False, "message": "No weights loaded", "result": 0.0}, "^No weights loaded$"),
        (ClientError("no gateway answers"), "^no gateway answers$"),
    ],
    ids=["failed", "no network", "no gateway"],
)
def test_predict_tells_in_one_line_why_it_failed(answer: Any, line: str, asked: type[PretendedClient]) -> None:
    asked.answer = answer

    with pytest.raises(CommandError, match=line):
        run("predict", "1")


def weights_file(folder: Path, name: str, content: bytes = WEIGHTS) -> Path:
    file = folder / name
    file.write_bytes(base64.b64encode(content))
    return file


@pytest.fixture
def named(tmp_path: Path) -> Path:
    return weights_file(tmp_path, str(WeightsName.of(NN_ID, WEIGHTS)))


@pytest.mark.parametrize(("count", "workers"), [(1, "1 worker"), (3, "3 workers")])
def test_load_weights_takes_the_network_from_the_name(
    count: int, workers: str, named: Path, asked: type[PretendedClient]
) -> None:
    asked.answer = {"status": True, "nn_id": NN_ID, "workers_count": count, "version": 2, "workers": []}

    assert run("load_weights", str(named)) == f"{NN_ID} version 2 is active, loaded by {workers}\n"
    assert asked.sent == [(URL, NN_ID, named.name, named.read_bytes())]


def test_load_weights_takes_the_network_that_is_given(tmp_path: Path, asked: type[PretendedClient]) -> None:
    asked.answer = {"status": True, "message": "OK", "workers_count": 1, "version": 1, "workers": []}

    run("load_weights", str(weights_file(tmp_path, "mine.b64")), "--nn-id", OTHER_NN_ID)

    assert asked.sent[0][1] == OTHER_NN_ID


def test_load_weights_takes_a_name_beside_the_network_or_alone(
    tmp_path: Path, named: Path, asked: type[PretendedClient]
) -> None:
    asked.answer = {"status": True, "nn_id": NN_ID, "workers_count": 1, "version": 1, "workers": []}

    run("load_weights", str(named), "--name", "fraud")
    run("load_weights", str(weights_file(tmp_path, "mine.b64")), "--name", "fraud")

    assert [(sent[1], sent[-1]) for sent in asked.sent] == [(NN_ID, "fraud"), (None, "fraud")]


@pytest.mark.parametrize(
    ("command", "sent", "answer", "line"),
    [
        (("name_network", NN_ID, "fraud"), (NN_ID, "fraud"), {"name": "fraud"}, f"{NN_ID} is called fraud"),
        (("name_network", "fraud", "new"), ("fraud", "new"), {"name": "new"}, f"{NN_ID} is called new"),
        (("name_network", "fraud", "--none"), ("fraud", None), {"name": None}, f"{NN_ID} has no name"),
        (
            ("label_version", "fraud", "stable", "3"), ("fraud", "stable", 3), {"label": "stable", "version": 3},
            f"stable of {NN_ID} is version 3",
        ),
        (
            ("remove_label", NN_ID, "stable"), (NN_ID, "stable"), {"label": "stable", "version": None},
            f"{NN_ID} has no label stable any more",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) and isinstance(value[-1], str) else "",
)  # fmt: skip
def test_networks_are_named_and_versions_labelled(
    command: tuple[str, ...], sent: tuple[Any, ...], answer: Any, line: str, asked: type[PretendedClient]
) -> None:
    asked.answer = {"status": True, "message": "OK", "nn_id": NN_ID, **answer}

    assert run(*command) == f"{line}\n"
    assert asked.sent == [(URL, *sent)]
    asked.answer = ClientError("PUT was refused with 409: the reason")
    with pytest.raises(CommandError, match="409: the reason"):
        run(*command)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("name_network", NN_ID), "required"),
        (("name_network", NN_ID, "fraud", "--none"), "not allowed with"),
        (("name_network", NN_ID, OTHER_NN_ID), "no network's id"),
        (("name_network", NN_ID, "a b"), "not 'a b'"),
        (("name_network", "a b", "fraud"), "not 'a b'"),
        (("label_version", NN_ID, "..", "1"), r"not '\.\.'"),
        (("label_version", NN_ID, "stable", "0"), "a number from 1 on"),
        (("remove_label", NN_ID, ""), "not ''"),
        (("load_weights", "file", "--name", "a/b"), "not 'a/b'"),
        (("predict", "1", "--nn-id", "a b"), "not 'a b'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_no_name_is_refused_before_anything_is_asked(
    command: tuple[str, ...], reason: str, asked: type[PretendedClient]
) -> None:
    with pytest.raises(CommandError, match=reason):
        run(*command)
    assert asked.sent == []


@pytest.mark.parametrize("network", [NN_ID, "fraud"])
@pytest.mark.parametrize(("command", "more"), [("activate", ["3"]), ("rollback", [])])
def test_a_switch_tells_what_is_active_now_or_why_nothing_has_changed(
    command: str, more: list[str], network: str, asked: type[PretendedClient]
) -> None:
    asked.answer = {"status": True, "nn_id": NN_ID, "workers_count": 2, "version": 3, "workers": []}

    assert run(command, network, *more) == f"{NN_ID} version 3 is active, loaded by 2 workers\n"
    assert asked.sent == [(URL, network, *map(int, more))]

    asked.answer = {"status": False, "message": "One failed", "workers": [{"result": False, "trace": TRACE}]}
    with pytest.raises(CommandError, match=r"^One failed: RowsError: three numbers$"):
        run(command, network, *more)

    asked.answer = ClientError("POST was refused with 409: nothing to roll back to")
    with pytest.raises(CommandError, match="409: nothing to roll back to"):
        run(command, network, *more)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("activate", "a b", "1"), "32 lower-case hex digits, .* not 'a b'"),
        (("activate", "..", "1"), "32 lower-case hex digits"),
        (("activate", NN_ID, "0"), "a number from 1 on, not '0'"),
        (("activate", NN_ID, "1.5"), "a number from 1 on"),
        (("activate", NN_ID, "9" * 5000), "a number from 1 on"),
        (("activate", NN_ID, "\u0661"), "a number from 1 on"),
        (("rollback", ""), "32 lower-case hex digits"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_switch_refuses_what_names_no_version(
    command: tuple[str, ...], reason: str, asked: type[PretendedClient]
) -> None:
    with pytest.raises(CommandError, match=reason):
        run(*command)
    assert asked.sent == []


def test_load_weights_sends_what_is_said_of_them(named: Path, tmp_path: Path, asked: type[PretendedClient]) -> None:
    asked.answer = {"status": True, "nn_id": NN_ID, "workers_count": 1, "version": 2, "workers": []}
    examples = tmp_path / "examples.json"
    examples.write_text('{"data": [[1, 2]], "result": [3]}')

    run("load_weights", str(named), "--order", "a,b", "--expect", str(examples))

    assert asked.sent[0][-2:] == ("a,b", '{"data": [[1, 2]], "result": [3]}')
    with pytest.raises(CommandError, match=r"cannot read .*nowhere"):
        run("load_weights", str(named), "--expect", str(tmp_path / "nowhere"))


def test_load_weights_tells_why_a_worker_refused(named: Path, asked: type[PretendedClient]) -> None:
    workers = [{"result": True}, {"result": False, "trace": TRACE}]
    asked.answer = {"status": False, "message": "One failed", "workers_count": 2, "workers": workers}

    with pytest.raises(CommandError, match=r"^One failed: RowsError: three numbers$"):
        run("load_weights", str(named))


@pytest.mark.parametrize("nn_id", ["short", NN_ID.upper(), ""])
def test_load_weights_refuses_what_names_no_network(nn_id: str, tmp_path: Path, asked: type[PretendedClient]) -> None:
    with pytest.raises(CommandError, match="nn-id"):
        run("load_weights", str(weights_file(tmp_path, "mine.b64")), "--nn-id", nn_id)
    assert asked.sent == []


def test_load_weights_sends_nothing_that_is_damaged(tmp_path: Path, asked: type[PretendedClient]) -> None:
    damaged = weights_file(tmp_path, str(WeightsName.of(NN_ID, b"what was written once")))
    text, packed = tmp_path / "text.b64", tmp_path / "packed.gz"
    text.write_text("not base64!")
    packed.write_bytes(b"\x1f\x8b\x08\x00")

    with pytest.raises(CommandError, match="is damaged: the CRC-32"):
        run("load_weights", str(damaged))
    with pytest.raises(CommandError, match="data is not base64"):
        run("load_weights", str(text), "--nn-id", NN_ID)
    with pytest.raises(CommandError, match=r"packed\.gz: data is a gzip file: unpack it"):
        run("load_weights", str(packed), "--nn-id", NN_ID)
    with pytest.raises(CommandError, match=r"cannot read .*missing: No such file"):
        run("load_weights", str(tmp_path / "missing"))
    assert asked.sent == []


STATUS = {
    "status": True, "queue_requests_current": 3, "queue_requests_max": 256, "req_handling_time_avg_ms": 2.5,
    "workers_count": 2, "workers_silent": 1,
    "workers": [{
        "worker": "w1", "nn_id": NN_ID, "version": 1, "count_requests_handled": 7, "req_handling_time_avg_ms": 0.7,
        "inference_time_avg_ms": 0.5, "address": ["192.0.2.7", "2001:db8::7"],
    }],
}  # fmt: skip


def test_status_is_a_readable_table(asked: type[PretendedClient]) -> None:
    asked.answer = STATUS

    printed = run("status")

    assert "requests waiting  3 of 256\n" in printed
    assert "workers           2 (1 did not answer)\n" in printed
    assert printed.splitlines()[-1].split() == ["w1", NN_ID, "1", "7", "0.70", "0.50", "192.0.2.7,", "2001:db8::7"]


def test_status_without_workers_says_how_to_start_one(asked: type[PretendedClient]) -> None:
    asked.answer = {**STATUS, "workers": [], "workers_count": 0, "workers_silent": 0}

    assert "celery -A workers worker" in run("status")


def test_status_says_how_many_timings_are_missing(asked: type[PretendedClient]) -> None:
    asked.answer = {**STATUS, "timings_dropped": 12}

    assert "timings dropped   12: the database did not take them" in run("status")


def test_status_is_json_for_machines(asked: type[PretendedClient]) -> None:
    asked.answer = STATUS

    assert json.loads(run("status", "--json")) == STATUS


def test_a_tables_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table(["A", "LONG"], [["wide", 1], ["x", ""]]) == "A     LONG\nwide  1\nx"


def test_the_token_is_that_of_the_environment(asked: type[PretendedClient], monkeypatch: pytest.MonkeyPatch) -> None:
    asked.answer = {"status": True, "message": "n", "result": 1.0, "version": 1}
    monkeypatch.setattr(PretendedClient, "tokens", [])
    monkeypatch.setenv("PIPELINE_TOKEN", "a key")
    run("predict", "0.3", "0.7")

    assert asked.tokens == ["a key"]
