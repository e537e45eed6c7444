"""Where messages say that their answers go."""

from __future__ import annotations

from typing import Any

import pytest

from inference.amqp_door.return_address import ReturnAddress, read_return_address

ID = "0e4f2c5e-8b1a-4f0e-9d57-3c1c9a7f1e2d"
BARE = ID.replace("-", "")


def test_an_answer_goes_to_the_queue_that_a_message_names() -> None:
    properties = {"reply_to": "replies", "correlation_id": "7"}

    assert read_return_address(properties, {"id": ID}) == ReturnAddress("replies", ID, "7")
    assert read_return_address({"reply_to": "replies"}, {"id": ID}) == ReturnAddress("replies", ID, ID)
    assert read_return_address(properties, {}) == ReturnAddress("replies", "7", "7")


@pytest.mark.parametrize("nothing", [{}, {"reply_to": ""}, {"reply_to": None}, {"reply_to": "\ud800"}])
def test_else_to_the_one_that_celery_node_looks_into(nothing: dict[str, Any]) -> None:
    assert read_return_address(nothing, {"id": ID}) == ReturnAddress(BARE, ID, ID, polled=True)


@pytest.mark.parametrize(
    "odd", ["1", "predict", "amq.gen-1", BARE, ID.upper(), f"{ID}\n", ID + "0", "", None, 5, ["x"], b"x", "\ud800"]
)
def test_no_other_id_names_a_queue(odd: Any) -> None:
    assert read_return_address({"correlation_id": odd}, {"id": odd}) is None
