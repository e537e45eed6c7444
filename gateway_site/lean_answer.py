"""One request from gunicorn's parser to the application and back, for an application that answers in one piece.

gunicorn's own environ and response also serve applications that stream, upgrade or send files, and it writes an access
log: for a prediction that is as much work as Django and Django REST Framework together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

from gunicorn import SERVER
from gunicorn.http.wsgi import base_environ, proxy_environ

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class LeanAnswer:
    """Answers requests for one application; what is the same for all of them is made once."""

    def __init__(self, cfg: Any, application: Application) -> None:
        self._application = application
        self._environ = {**base_environ(cfg), "wsgi.multithread": True, "SCRIPT_NAME": ""}
        self._second = 0
        self._constant_headers = ""

    @classmethod
    def for_worker(cls, worker: Any) -> LeanAnswer | None:
        """None when gunicorn is told to count or to log each request, which it does on its own way only."""
        cfg = worker.cfg
        counts_or_logs = worker.log.access_log_enabled or cfg.statsd_host or cfg.max_requests
        return None if counts_or_logs else cls(cfg, worker.wsgi)

    def answer(self, req: Any, sock: Any, client: tuple[str, int], server: tuple[str, int], closing: bool) -> None:
        """Have the application answer, and send it all at once; with `closing` it is the connection's last answer."""
        told: list[str] = []

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            told.append(f"HTTP/1.1 {status}\r\n")
            told.extend([f"{name}: {value}\r\n" for name, value in headers])

        body = b"".join(self._application(self._environ_of(req, client, server), start_response))
        told.append(self._common_headers())
        told.append("Connection: close\r\n\r\n" if closing else "Connection: keep-alive\r\n\r\n")
        sock.sendall("".join(told).encode("latin-1") + body)

    def _environ_of(self, req: Any, client: tuple[str, int], server: tuple[str, int]) -> dict[str, Any]:
        environ = self._environ.copy()
        for name, value in req.headers:
            if name == "CONTENT-TYPE" or name == "CONTENT-LENGTH":
                key = name.replace("-", "_")
                environ[key] = value
                continue
            key = "HTTP_" + name.replace("-", "_")
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        environ["REQUEST_METHOD"] = req.method
        environ["PATH_INFO"] = req.path
        environ["QUERY_STRING"] = req.query
        environ["SERVER_PROTOCOL"] = "HTTP/1.1"
        environ["wsgi.url_scheme"] = req.scheme
        environ["wsgi.input"] = req.body
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
        environ["SERVER_NAME"], environ["SERVER_PORT"] = server[0], str(server[1])
        environ.update(proxy_environ(req))
        return environ

    def _common_headers(self) -> str:
        now = int(time.time())
        if now != self._second:
            self._constant_headers = f"Server: {SERVER}\r\nDate: {formatdate(now, usegmt=True)}\r\n"
            self._second = now
        return self._constant_headers
