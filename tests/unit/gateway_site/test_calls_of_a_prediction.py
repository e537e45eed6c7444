"""What a prediction costs the gateway's loop, in calls of our own functions; its time is for benchmarks."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import inference
from tests.unit.gateway_site.pretended_clients import Gateway
from tests.unit.inference.http.predicting import answer_of
from tests.unit.pretended_gateway import PretendedGateway

ROOT = Path(inference.__file__).parents[1]
OURS = tuple(f"{ROOT / part}/" for part in ("gateway_site", "inference", "workers"))
REQUEST = (
    b"POST /predict HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n"
    b'{"vector": [0.5,0.25]}'
)
#: From the first byte to the last, but for the dispatcher; a coroutine counts each time that it goes on.
CALLS_MAX = 54


@pytest.mark.django_db
def test_a_prediction_costs_so_many_calls_and_no_more(server: Gateway, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_of([[0.75]])
    client = server.connect().sends(REQUEST)  # what is found out once is found out
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            calls[f"{Path(frame.f_code.co_filename).name}: {frame.f_code.co_name}"] += 1

    sys.setprofile(count)
    try:
        client.sends(REQUEST)
    finally:
        sys.setprofile(None)

    assert client.statuses == [200, 200]
    assert calls.total() <= CALLS_MAX, "\n".join(f"{count} {name}" for name, count in calls.most_common())
