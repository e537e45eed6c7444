"""`manage.py load_weights`: what it sends, what it refuses, and what it prints."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from django.core.management import CommandError

from inference.management.weights_name import WeightsName
from tests.unit.inference.management.pretended_client import TRACE, URL, WEIGHTS, PretendedClient, run
from tests.unit.samples import NN_ID, OTHER_NN_ID


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
