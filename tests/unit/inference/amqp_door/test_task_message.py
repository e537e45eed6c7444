"""Tasks as Celery's clients send them, and what is none."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from inference.amqp_door.task_message import read_arguments
from inference.errors import BadInputError
from workers.messages.refusals import RefusedError

JSON = "application/json"
TASK: dict[str, Any] = {"task": "pipeline.predict", "id": "1"}
ROWS = [[0.1, 0.2]]


def read(given: Any, named: Any, more: Any = None, **headers: Any) -> dict[str, Any]:
    return read_arguments(TASK | headers, JSON, orjson.dumps([given, named, more or {}]))


def test_arguments_have_places_and_names() -> None:
    expected = {"network": "sum", "data": ROWS, "version": 3}

    assert read(["sum", ROWS, 3], {}) == expected
    assert read(["sum"], {"version": 3, "data": ROWS}) == expected
    assert read([], {"vector": [0.1]}) == {"vector": [0.1]}


def test_null_says_nothing() -> None:
    more = {"callbacks": None, "errbacks": [], "chain": None, "chord": None}

    assert read([None, ROWS, None], {"vector": None}, more, eta=None) == {"data": ROWS}


@pytest.mark.parametrize(
    ("given", "named", "said"),
    [
        (["sum", ROWS, 3, 4], {}, "takes 3 arguments by place (network, data, version)"),
        ([], {"colour": 1}, "has no argument 'colour'; it takes network, data, version, vector"),
        (["sum"], {"network": "sum"}, "network is given twice"),
        ([None], {"network": "sum"}, "network is given twice"),
    ],
)
def test_arguments_that_the_task_has_not(given: Any, named: Any, said: str) -> None:
    with pytest.raises(BadInputError) as raised:
        read(given, named)

    assert said in str(raised.value)


def test_what_is_not_done_here_is_said() -> None:
    with pytest.raises(BadInputError, match="tasks for later"):
        read([], {}, eta="2030-01-01T00:00:00")
    for name in ("callbacks", "errbacks", "chain", "chord"):
        with pytest.raises(BadInputError, match="are not followed here"):
            read([], {}, {name: [{}]})


@pytest.mark.parametrize(
    ("headers", "content_type", "body", "said"),
    [
        ({}, JSON, b"[[], {}, {}]", "no header `task`"),
        ({"task": "workers.tasks.predict"}, JSON, b"[[], {}, {}]", "the task is 'workers.tasks.predict'"),
        ({"task": ["x" * 500]}, JSON, b"[[], {}, {}]", "the task is ['xxx"),
        (TASK, "application/x-python-serialize", b"\x80\x04N.", "not application/json"),
        (TASK, None, b"[[], {}, {}]", "its content is None"),
        (TASK, JSON, b"", "it is no JSON"),
        (TASK, JSON, b"[" * 2000, "it is no JSON"),
        (TASK, JSON, b"[[NaN], {}, {}]", "it is no JSON"),
        (TASK, JSON, b"\xff", "it is no JSON"),
        (TASK, JSON, b"{}", "its body is not"),
        (TASK, JSON, b"[[], {}]", "its body is not"),
        (TASK, JSON, b"[{}, {}, {}]", "its arguments are no list"),
        (TASK, JSON, b"[[], [], {}]", "its arguments are no list"),
    ],
)
def test_what_is_no_task_is_refused(headers: Any, content_type: Any, body: bytes, said: str) -> None:
    with pytest.raises(RefusedError) as raised:
        read_arguments(headers, content_type, body)

    assert said in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_body_comes_as_text_too() -> None:
    assert read_arguments(TASK, JSON, '[[null, [["ü"]]], {}, null]') == {"data": [["ü"]]}
