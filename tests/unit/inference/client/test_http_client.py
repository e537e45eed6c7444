"""Pipeline's REST interface seen from a client, with the answers made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from inference.client.http_client import ClientError, PipelineClient

NN_ID = "000127a35b5f462b8ec68fb4d905ac36"


class Wire(requests.adapters.BaseAdapter):
    """Answers each request with what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Any] = []
        self.status_code = 200
        self.body: bytes = b"{}"
        self.error: Exception | None = None

    def send(self, request: Any, **options: Any) -> requests.Response:
        self.sent.append((request, options))
        if self.error is not None:
            raise self.error
        response = requests.Response()
        response.status_code, response._content, response.request = self.status_code, self.body, request
        response.reason = "a reason"
        return response

    def close(self) -> None:
        pass


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def client(wire: Wire) -> PipelineClient:
    client = PipelineClient("http://127.0.0.1:54321/", 7.5)
    client._session.mount("http://", wire)
    return client


def test_a_row_is_posted_as_a_vector(client: PipelineClient, wire: Wire) -> None:
    wire.body = b'{"status": true, "message": "x", "result": 1.0}'

    assert client.predict((0.5, 0.25))["result"] == 1.0
    [(request, options)] = wire.sent
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:54321/predict")
    assert json.loads(request.body) == {"vector": [0.5, 0.25]}
    assert options["timeout"] == 7.5


def test_rows_a_network_and_a_version_may_be_named(client: PipelineClient, wire: Wire) -> None:
    client.predict(data={"a": [[1]], "b": [2]}, nn_id=NN_ID, version=3)

    [(request, _)] = wire.sent
    assert json.loads(request.body) == {"data": {"a": [[1]], "b": [2]}, "nn_id": NN_ID, "version": 3}


def test_weights_are_put_as_a_file(client: PipelineClient, wire: Wire) -> None:
    client.set_weights(NN_ID, "w.b64", b"QUJD")

    [(request, _)] = wire.sent
    assert (request.method, request.url) == ("PUT", "http://127.0.0.1:54321/set_weights")
    body = b"".join(request.body)
    assert request.headers["Content-Length"] == str(len(body))
    assert b'name="nn_id"\r\n\r\n' + NN_ID.encode() in body
    assert b'name="data"; filename="w.b64"\r\nContent-Type: application/octet-stream\r\n\r\nQUJD\r\n--' in body


def test_what_is_said_of_weights_is_put_beside_them(client: PipelineClient, wire: Wire) -> None:
    client.set_weights(NN_ID, "w.b64", b"QUJD", order="a,b", expect="{}")

    body = b"".join(wire.sent[0][0].body)
    assert b'name="order"\r\n\r\na,b\r\n' in body
    assert b'name="expect"\r\n\r\n{}\r\n' in body


def test_weights_may_be_put_by_a_name_alone(client: PipelineClient, wire: Wire) -> None:
    client.set_weights(None, "w.b64", b"QUJD", name="fraud")

    body = b"".join(wire.sent[0][0].body)
    assert b'name="name"\r\n\r\nfraud\r\n' in body
    assert b"nn_id" not in body


@pytest.mark.parametrize(
    ("call", "sent", "body"),
    [
        (lambda client: client.activate(NN_ID, 3), f"POST /networks/{NN_ID}/activate", b'{"version": 3}'),
        (lambda client: client.rollback(NN_ID), f"POST /networks/{NN_ID}/rollback", None),
        (lambda client: client.networks(2, 4), "GET /networks?limit=2&offset=4", None),
        (lambda client: client.network(NN_ID), f"GET /networks/{NN_ID}?limit=100&offset=0", None),
        (lambda client: client.version(NN_ID, 3), f"GET /networks/{NN_ID}/versions/3", None),
        (lambda client: client.delete_version(NN_ID, 3), f"DELETE /networks/{NN_ID}/versions/3", None),
        (lambda client: client.network("fraud"), "GET /networks/fraud?limit=100&offset=0", None),
        (lambda client: client.name_network(NN_ID, "fraud"), f"PATCH /networks/{NN_ID}", b'{"name": "fraud"}'),
        (lambda client: client.name_network("fraud", None), "PATCH /networks/fraud", b'{"name": null}'),
        (lambda client: client.label(NN_ID, "stable", 3), f"PUT /networks/{NN_ID}/labels/stable", b'{"version": 3}'),
        (lambda client: client.remove_label(NN_ID, "stable"), f"DELETE /networks/{NN_ID}/labels/stable", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_networks_and_versions_have_an_address_each(
    call: Callable[[PipelineClient], Any], sent: str, body: bytes | None, client: PipelineClient, wire: Wire
) -> None:
    wire.body = b'{"status": true}'

    assert call(client) == {"status": True}
    [(request, _)] = wire.sent
    assert f"{request.method} {request.path_url}" == sent
    assert request.body == body


def test_a_request_may_have_a_shorter_time(client: PipelineClient, wire: Wire) -> None:
    client.status(timeout_seconds=0.5)

    assert wire.sent[0][1]["timeout"] == 0.5


def test_a_failed_prediction_is_an_answer(client: PipelineClient, wire: Wire) -> None:
    wire.body = b'{"status": false, "message": "trace", "result": 0.0}'

    assert client.predict([1])["status"] is False


def test_a_refusal_is_one_line_with_its_reason_and_status(client: PipelineClient, wire: Wire) -> None:
    wire.status_code, wire.body = 503, b'{"status": false, "message": "Server is busy"}'

    with pytest.raises(ClientError, match=r"^POST /predict was refused with 503: Server is busy$") as refusal:
        client.predict([1])
    assert refusal.value.status_code == 503


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'"text"'])
def test_what_is_no_pipeline_gateway_is_told(body: bytes, client: PipelineClient, wire: Wire) -> None:
    wire.body = body

    with pytest.raises(ClientError, match="is it a Pipeline gateway"):
        client.status()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (requests.exceptions.ConnectionError("refused"), "no gateway answers at http://127.0.0.1:54321: start one"),
        (requests.exceptions.ReadTimeout("slow"), r"did not answer GET /status within 7\.5 s"),
        (requests.exceptions.ConnectTimeout("slow"), "no gateway answers"),
        (requests.exceptions.ChunkedEncodingError("cut"), "cannot ask"),
    ],
)
def test_a_gateway_that_does_not_answer_is_told(
    error: Exception, line: str, client: PipelineClient, wire: Wire
) -> None:
    wire.error = error

    with pytest.raises(ClientError, match=line) as refusal:
        client.status()
    assert refusal.value.status_code is None


@pytest.mark.parametrize(
    ("url", "direct"),
    [
        ("http://127.0.0.1:54321", True),
        ("http://localhost:54321", True),
        ("http://[::1]:54321", True),
        ("http://pipeline.example", False),
        ("http://192.0.2.7:54321", False),
    ],
)
def test_a_proxy_is_passed_by_on_the_way_to_this_machine(url: str, direct: bool) -> None:
    assert PipelineClient(url)._session.trust_env is not direct


def test_a_token_is_sent_with_every_request_whatever_netrc_says(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine gateway.example.com login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    wire.body = b"{}"
    client = PipelineClient("http://gateway.example.com", token="a key")
    client._session.mount("http://", wire)
    client.status()
    client.networks()

    assert [request.headers["Authorization"] for request, _ in wire.sent] == ["Token a key"] * 2


def test_without_a_token_none_is_sent(client: PipelineClient, wire: Wire) -> None:
    wire.body = b"{}"
    client.status()

    assert "Authorization" not in wire.sent[0][0].headers
