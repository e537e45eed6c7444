"""What an upload says beside its bytes: the same terms are the same bytes, and nothing else is taken for terms."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.unit.samples import only_input
from workers.messages.message import ProtocolError
from workers.messages.terms import ORDER_NAMES_MAX, TERMS_BYTES_MAX, Expected, Terms

EXPECTED = Expected(only_input([0.25, 0.5]), only_input([0.75]), 0.01)
TERMS = Terms(["first", "second"], EXPECTED)
WRITTEN: dict[str, Any] = orjson.loads(TERMS.to_bytes())


@pytest.mark.parametrize("terms", [Terms(), TERMS, Terms(["a"]), Terms((), EXPECTED)], ids=repr)
def test_terms_are_read_as_they_were_written_and_written_alike(terms: Terms) -> None:
    read = Terms.from_bytes(terms.to_bytes())

    assert read == terms
    assert read.to_bytes() == terms.to_bytes()


def expecting(**fields: Any) -> dict[str, Any]:
    return {**WRITTEN, "expected": {**WRITTEN["expected"], **fields}}


@pytest.mark.parametrize(
    "odd",
    [
        [], "text", None,
        *({**WRITTEN, "order": order} for order in ("a", [1], [""], ["a", "a"], [[]], ["x" * 2000], None,
                                                    [str(number) for number in range(ORDER_NAMES_MAX + 1)])),
        *({**WRITTEN, "expected": expected} for expected in (1, "text", [], {})),
        *(expecting(tolerance=tolerance) for tolerance in (-1, "1", None, True, [])),
        expecting(inputs={}), expecting(outputs=None), expecting(outputs=EXPECTED.to_json()["inputs"] | {"b": 1}),
        expecting(outputs={"": {"dtype": "float32", "shape": [2], "data": "AAAAAAAAAAA="}}),
    ],
    ids=repr,
)  # fmt: skip
def test_what_are_no_terms_is_refused(odd: Any) -> None:
    with pytest.raises(ProtocolError):
        Terms.from_bytes(orjson.dumps(odd))


def test_bytes_that_are_no_json_or_too_many_are_refused() -> None:
    for content in (b"", b"{", b"{" * (TERMS_BYTES_MAX + 1)):
        with pytest.raises(ProtocolError):
            Terms.from_bytes(content)


def test_more_examples_than_a_message_holds_are_refused() -> None:
    many = only_input(*[[float(number)] for number in range(TERMS_BYTES_MAX // 8)])
    with pytest.raises(ProtocolError, match="more examples than fit"):
        Terms((), Expected(many, many, 0.1)).to_bytes()
