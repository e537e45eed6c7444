"""What networks may be called."""

from __future__ import annotations

import pytest

from inference.models import Network
from inference.models.names import is_name, names_network
from inference.versions.naming import nn_id_for
from tests.unit.samples import NN_ID
from workers.messages.protocol import is_nn_id

NAMES = ["a", "1", "fraud-2.1_b", "A" * 128, "...", "-", NN_ID.upper(), NN_ID[1:], NN_ID + "0"]
NO_NAMES = ["", ".", "..", "a b", "a/b", "a\n", "ä", "a" * 129, NN_ID, None, 5, ["a"], b"a"]


@pytest.mark.parametrize("text", NAMES)
def test_a_name_is_letters_digits_and_a_few_signs(text: str) -> None:
    assert is_name(text)
    assert names_network(text)


@pytest.mark.parametrize("text", NO_NAMES, ids=repr)
def test_all_else_is_none(text: object) -> None:
    assert not is_name(text)
    assert names_network(text) is (text == NN_ID)


@pytest.mark.django_db
def test_a_name_that_nobody_has_is_a_new_networks() -> None:
    Network.objects.create(nn_id=NN_ID, name="fraud")

    assert nn_id_for("fraud") == NN_ID
    new, other = nn_id_for("iris"), nn_id_for("iris")
    assert is_nn_id(new)
    assert new not in (NN_ID, other)
