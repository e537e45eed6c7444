"""What stands in for a gateway behind the management commands, and how they are run."""

from __future__ import annotations

import base64
from io import StringIO
from typing import IO, Any

from django.core.management import call_command

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


def run(name: str, *arguments: str) -> str:
    output = StringIO()
    call_command(name, *arguments, "--url", URL, stdout=output)
    return output.getvalue()
