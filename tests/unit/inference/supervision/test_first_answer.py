"""The way to the first answer, said to a gateway that answers from a list."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.client.http_client import Answer, ClientError, PipelineClient
from inference.supervision import first_answer
from inference.supervision.addresses import Bind
from inference.supervision.errors import StartError
from workers.settings import settings

NO_NETWORK = {"status": False, "message": "No weights loaded", "result": 0.0}
GOOD = {"status": True, "message": first_answer.FIRST_NN_ID, "result": 0.3}
BUSY = ClientError("POST /predict was refused with 503: Server is busy", 503)
DOWN = ClientError("no gateway answers at http://127.0.0.1:1: start one with scripts/serve")


def trace(last_line: str) -> str:
    return base64.b64encode(f"Traceback (most recent call last):\n  …\n{last_line}\n".encode()).decode()


def nothing() -> None:
    """A look that finds nothing wrong."""


class PretendedGateway(PipelineClient):
    """Answers like a PipelineClient, from a list."""

    def __init__(self, *answers: Answer | Exception) -> None:
        super().__init__("http://127.0.0.1:1")
        self.answers = list(answers)
        self.uploads: list[tuple[str, str, bytes]] = []

    def _next(self) -> Answer:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def status(self, timeout_seconds: float | None = None) -> Answer:
        return self._next()

    def predict(self, vector: Any, timeout_seconds: float | None = None) -> Answer:
        return self._next()

    def set_weights(self, nn_id: str | None, file_name: str, body: bytes, *, only_first: bool) -> Answer:
        assert only_first
        self.uploads.append((nn_id, file_name, body))
        return self._next()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_answer, "POLL_SECONDS", 0.0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / f"{first_answer.FIRST_NN_ID}_0123abcd.b64").write_bytes(b"AAAA")
    return tmp_path


def test_it_waits_until_so_many_workers_answer() -> None:
    gateway = PretendedGateway(DOWN, {"workers_count": 0}, BUSY, {"workers_count": 1}, {"workers_count": 2})
    assert first_answer.wait_until_answering(gateway, 2, 60.0, nothing) == 2
    assert gateway.answers == []


def test_a_gateway_without_workers_is_enough_when_none_are_asked_for() -> None:
    assert first_answer.wait_until_answering(PretendedGateway(DOWN, BUSY), 0, 60.0, nothing) == 0


def test_the_deadline_says_what_was_missing() -> None:
    with pytest.raises(StartError, match="1 of 2 workers answer"):
        first_answer.wait_until_answering(PretendedGateway({"workers_count": 1}), 2, 0.0, nothing)
    with pytest.raises(StartError, match="no gateway answers"):
        first_answer.wait_until_answering(PretendedGateway(DOWN), 1, 0.0, nothing)


def test_a_process_that_ended_ends_the_wait() -> None:
    def ended() -> None:
        raise StartError("gateway ended while starting")

    with pytest.raises(StartError, match="ended while starting"):
        first_answer.wait_until_answering(PretendedGateway(), 1, 60.0, ended)


def test_the_first_sample_is_uploaded_when_no_network_is_active(data: Path) -> None:
    gateway = PretendedGateway(BUSY, NO_NETWORK, {"status": True, "message": "OK"})
    assert first_answer.load_first_network(gateway, data, 60.0, nothing) == first_answer.FIRST_NN_ID
    assert gateway.uploads == [(first_answer.FIRST_NN_ID, f"{first_answer.FIRST_NN_ID}_0123abcd.b64", b"AAAA")]


def test_a_network_that_somebody_uploads_meanwhile_stays(data: Path) -> None:
    gateway = PretendedGateway(NO_NETWORK, ClientError("PUT /set_weights was refused with 412: …", 412))
    assert first_answer.load_first_network(gateway, data, 60.0, nothing) is None


@pytest.mark.parametrize("answer", [GOOD, {"status": False, "message": trace("RowsError: 3 numbers"), "result": 0.0}])
def test_an_active_network_is_left_alone(answer: Answer, data: Path) -> None:
    gateway = PretendedGateway(answer)
    assert first_answer.load_first_network(gateway, data, 60.0, nothing) is None
    assert gateway.uploads == []


def test_a_refused_sample_says_why(data: Path) -> None:
    refusal = {
        "status": False,
        "message": "failed",
        "workers": [{"result": True}, {"trace": trace("WeightsError: no")}],
    }
    with pytest.raises(StartError, match=r"WeightsError: no$"):
        first_answer.load_first_network(PretendedGateway(NO_NETWORK, refusal), data, 60.0, nothing)


def test_a_missing_sample_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=first_answer.FIRST_NN_ID):
        first_answer.load_first_network(PretendedGateway(NO_NETWORK), tmp_path, 60.0, nothing)


def test_the_self_test_asks_until_a_prediction_succeeds() -> None:
    failed = {"status": False, "message": trace("OSError: later"), "result": 0.0}
    assert first_answer.self_test(PretendedGateway(failed, BUSY, GOOD), 60.0, nothing) == first_answer.FIRST_NN_ID


def test_a_network_that_takes_other_rows_passes_the_self_test_by_saying_so() -> None:
    other = {"status": False, "message": trace("workers.runtime.errors.RowsError: 784 numbers"), "result": 0.0}
    assert first_answer.self_test(PretendedGateway(other), 60.0, nothing) == ""


def test_a_self_test_that_never_succeeds_ends_with_the_reason() -> None:
    failed = {"status": False, "message": trace("ValueError: broken"), "result": 0.0}
    with pytest.raises(StartError, match=r"ValueError: broken$"):
        first_answer.self_test(PretendedGateway(failed), 0.0, nothing)


def test_the_banner_names_another_data_directory_for_the_admin_user(tmp_path: Path) -> None:
    text = first_answer.banner("http://127.0.0.1:1", tmp_path, Path("/repository"))
    assert f"PIPELINE_DATA_DIR={tmp_path}" in text
    assert "-d '{\"vector\": [0.1, 0.2]}'" in text
    assert "PIPELINE_DATA_DIR" not in first_answer.banner("http://127.0.0.1:1", Path("/r/var"), Path("/r"))


def test_the_banner_tells_how_to_make_a_token_where_one_is_needed() -> None:
    root = Path("/r")
    text = first_answer.banner("http://127.0.0.1:1", root / "var", root, tokens=True)

    assert "export PIPELINE_TOKEN=$(" in text
    assert "create_token NAME --may predict,status,weights)" in text
    assert '/predict -H "Authorization: Token $PIPELINE_TOKEN" -H' in text
    assert "TOKEN" not in first_answer.banner("http://127.0.0.1:1", root / "var", root)


def test_it_tells_where_grpc_is_answered() -> None:
    root = Path("/r")
    assert "gRPC" not in first_answer.banner("http://127.0.0.1:1", root / "var", root)
    text = first_answer.banner("http://127.0.0.1:1", root / "var", root, grpc=Bind.parse("127.0.0.1:54323"))
    assert "gRPC:  127.0.0.1:54323\n" in text


@pytest.mark.parametrize(("keys", "said"), [((), ""), (("secret",), " with the same PIPELINE_MESSAGE_KEY")])
def test_who_starts_a_worker_is_told_of_the_key(
    keys: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_answer, "settings", lambda: replace(settings(), message_keys=keys))

    assert first_answer.same_key() == said
