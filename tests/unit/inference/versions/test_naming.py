"""What networks may be called."""

from __future__ import annotations

import pytest
from django.db import transaction

from inference.errors import BadInputError, ConflictError
from inference.models import Network
from inference.models.names import is_name, names_network
from inference.versions.naming import found_or_made, label_version
from tests.unit.samples import NN_ID
from workers.messages.protocol import is_nn_id

NAMES = ["a", "1", "fraud-2.1_b", "A" * 128, "...", "-", NN_ID.upper(), NN_ID[1:], NN_ID + "0"]
NO_NAMES = ["", ".", "..", "stats", "a b", "a/b", "a\n", "ä", "a" * 129, NN_ID, None, 5, ["a"], b"a"]


@pytest.mark.parametrize("text", NAMES)
def test_a_name_is_letters_digits_and_a_few_signs(text: str) -> None:
    assert is_name(text)
    assert names_network(text)


@pytest.mark.parametrize("text", NO_NAMES, ids=repr)
def test_all_else_is_none(text: object) -> None:
    assert not is_name(text)
    assert names_network(text) is (text == NN_ID)


@pytest.mark.django_db(transaction=True)
def test_a_name_that_nobody_has_is_a_new_networks_however_many_ask_at_once() -> None:
    Network.objects.create(nn_id=NN_ID, name="fraud")
    with transaction.atomic():
        assert found_or_made(None, "fraud").nn_id == NN_ID
        assert found_or_made(NN_ID, "renamed").name == "renamed"
        made = found_or_made(None, "iris")
        assert is_nn_id(made.nn_id)
        assert found_or_made(None, "iris") == made
        with pytest.raises(ConflictError, match="has the name 'iris'"):
            found_or_made(NN_ID, "iris")
        with pytest.raises(BadInputError, match="not `stats`"):
            found_or_made(None, "stats")


@pytest.mark.django_db
@pytest.mark.parametrize("label", ["2", "123456789", "stats", ""])
def test_a_label_is_no_number(label: str) -> None:
    with pytest.raises(BadInputError, match="and no number, which a version has"):
        label_version(NN_ID, label, 1)
