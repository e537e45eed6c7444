"""Pipeline's REST interface seen from a client: what the commands and the first start say to a gateway."""

from __future__ import annotations

import io
import ipaddress
from typing import IO, Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from inference.client.multipart import MultipartForm

Answer = dict[str, Any]
#: The status of an upload that was to be the first network, and is not.
ALREADY_ACTIVE = 412


class ClientError(Exception):
    """The gateway did not answer, or refused; the message is one line. `status_code` is None when nothing answered."""

    def __init__(self, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code


class PipelineClient:
    """A client of one gateway; `timeout_seconds` holds for every request, and `token` is the key sent with each.

    Where a network's `nn_id` is asked for, its name will do, except where weights are uploaded.
    """

    def __init__(self, url: str, timeout_seconds: float = 60.0, token: str = "") -> None:
        self.url = url.rstrip("/")
        self.timeout_seconds = timeout_seconds
        self._session = requests.Session()
        self._session.auth = _Token(token) if token else None
        # A proxy of the environment cannot reach this machine's loopback interface.
        self._session.trust_env = not _is_loopback(urlsplit(self.url).hostname or "")

    def status(self, timeout_seconds: float | None = None) -> Answer:
        """GET /status: the fleet and its averages. Raises ClientError."""
        return self._request("GET", "/status", timeout_seconds=timeout_seconds)

    def predict(
        self,
        vector: Any = None,
        *,
        data: Any = None,
        nn_id: str | None = None,
        version: int | None = None,
        timeout_seconds: float | None = None,
    ) -> Answer:
        """POST /predict with one row in `vector`, or rows in `data`: lists of numbers, or a dict of them by input.

        The default network answers, by its active version, unless `nn_id` or `version` says otherwise. A prediction
        that failed in the worker comes back as an answer whose `status` is false. Raises ClientError.
        """
        fields = {"vector": vector, "data": data, "nn_id": nn_id, "version": version}
        body = {name: value for name, value in fields.items() if value is not None}
        return self._request("POST", "/predict", json=body, timeout_seconds=timeout_seconds)

    def set_weights(
        self,
        nn_id: str | None,
        file_name: str,
        body: bytes | IO[bytes],
        *,
        name: str | None = None,
        only_first: bool = False,
        order: str = "",
        expect: str = "",
    ) -> Answer:
        """PUT /set_weights with a weights file or its base64 text, read while it is sent. Raises ClientError.

        The network is called `name` from then on; without `nn_id` it is the one of that name, or a new one.

        Weights that a worker refused come back as an answer whose `status` is false. With `only_first`, they become
        active only while no network is; else that is a ClientError with the status ALREADY_ACTIVE. `order` are a
        PyTorch file's layers as they are used, with commas between; `expect` examples that must hold, as JSON.
        """
        file = io.BytesIO(body) if isinstance(body, bytes) else body
        fields = {"nn_id": nn_id, "name": name, "order": order, "expect": expect}
        form = MultipartForm({name: value for name, value in fields.items() if value}, "data", file_name, file)
        headers = {"Content-Type": form.content_type} | ({"If-None-Match": "*"} if only_first else {})
        return self._request("PUT", "/set_weights", data=form, headers=headers)

    def activate(self, nn_id: str, number: int) -> Answer:
        """POST /networks/<nn_id>/activate: make any version active. Raises ClientError.

        A version that a worker could not load comes back as an answer whose `status` is false.
        """
        return self._request("POST", f"/networks/{nn_id}/activate", json={"version": number})

    def rollback(self, nn_id: str) -> Answer:
        """POST /networks/<nn_id>/rollback: make the version active that was before. Raises ClientError.

        A version that a worker could not load comes back as an answer whose `status` is false.
        """
        return self._request("POST", f"/networks/{nn_id}/rollback")

    def name_network(self, network: str, name: str | None) -> Answer:
        """PATCH /networks/<nn_id>: call a network so, or by its id alone. Raises ClientError."""
        return self._request("PATCH", f"/networks/{network}", json={"name": name})

    def label(self, network: str, label: str, number: int) -> Answer:
        """PUT /networks/<nn_id>/labels/<label>: have a label stand for a version. Raises ClientError."""
        return self._request("PUT", f"/networks/{network}/labels/{label}", json={"version": number})

    def remove_label(self, network: str, label: str) -> Answer:
        """DELETE /networks/<nn_id>/labels/<label>: forget a label. Raises ClientError."""
        return self._request("DELETE", f"/networks/{network}/labels/{label}")

    def networks(self, limit: int = 100, offset: int = 0) -> Answer:
        """GET /networks: so many of the networks, by name. Raises ClientError."""
        return self._request("GET", "/networks", params={"limit": limit, "offset": offset})

    def network(self, nn_id: str, limit: int = 100, offset: int = 0) -> Answer:
        """GET /networks/<nn_id>: a network and so many of its versions, newest first. Raises ClientError."""
        return self._request("GET", f"/networks/{nn_id}", params={"limit": limit, "offset": offset})

    def version(self, nn_id: str, number: int) -> Answer:
        """GET /networks/<nn_id>/versions/<n>: a version and its latest activations. Raises ClientError."""
        return self._request("GET", f"/networks/{nn_id}/versions/{number}")

    def delete_version(self, nn_id: str, number: int) -> Answer:
        """DELETE /networks/<nn_id>/versions/<n>: drop a version's weights. Raises ClientError."""
        return self._request("DELETE", f"/networks/{nn_id}/versions/{number}")

    def _request(self, method: str, path: str, *, timeout_seconds: float | None = None, **content: Any) -> Answer:
        timeout = self.timeout_seconds if timeout_seconds is None else timeout_seconds
        try:
            response = self._session.request(method, self.url + path, timeout=timeout, **content)
        except requests.exceptions.ReadTimeout as error:
            raise ClientError(f"{self.url} did not answer {method} {path} within {timeout:g} s") from error
        except requests.exceptions.ConnectionError as error:
            raise ClientError(f"no gateway answers at {self.url}: start one with scripts/serve") from error
        except requests.exceptions.RequestException as error:
            raise ClientError(f"cannot ask {self.url}: {error}") from error
        return self._read(response, f"{method} {path}")

    def _read(self, response: requests.Response, what: str) -> Answer:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ClientError(
                f"{self.url} answered {what} with {response.status_code} and no JSON object: is it a Pipeline gateway?",
                response.status_code,
            )
        if response.status_code >= 400:
            message = str(answer.get("message") or response.reason)
            raise ClientError(f"{what} was refused with {response.status_code}: {message}", response.status_code)
        return answer


class _Token(AuthBase):
    """Sends a key. As a header of the session, a password that ~/.netrc has for the host would take its place."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Token {self._key}"
        return request


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
