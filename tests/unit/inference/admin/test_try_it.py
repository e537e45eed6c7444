"""The page that asks a network for a prediction: who may, what it shows, and how it tells what went wrong."""

from __future__ import annotations

import html

import numpy as np
import pytest
from django.test import Client

from inference.errors import BusyError, InferenceError, PredictionFailedError
from inference.models import Version
from tests.unit.admin_samples import NETWORK, past, person, text
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, answer_with

pytestmark = pytest.mark.django_db
TRY = f"{NETWORK}/try/"


def ask(client: Client, rows: str, status: int = 200) -> str:
    response = client.post(TRY, {"rows": rows})
    assert response.status_code == status
    return html.unescape(response.content.decode())


@pytest.mark.parametrize("group", ["viewer", None])
def test_who_is_no_operator_asks_nothing(group: str | None, gateway: PretendedGateway) -> None:
    past()
    client = person(group)

    assert client.get(TRY).status_code == client.post(TRY, {"rows": "[[1, 2]]"}).status_code == 403
    assert TRY not in (text(client, f"{NETWORK}/change/") if group else "")


def test_the_form_begins_with_rows_that_the_network_takes(operator: Client, gateway: PretendedGateway) -> None:
    past()
    numbers = {"name": "numbers", "dtype": "float32", "shape": [2]}
    Version.objects.update(signature={"inputs": [numbers], "outputs": [{**numbers, "name": "sum", "shape": [1]}]})

    assert f'href="{TRY}"' in text(operator, f"{NETWORK}/change/")
    assert '{"data": [[0.0, 0.0]]}' in html.unescape(text(operator, TRY))
    assert 'id="answer"' not in text(operator, TRY)


@pytest.mark.parametrize("rows", ["[[0.25, 0.5]]", '{"data": [[0.25, 0.5]]}', '{"vector": [0.25, 0.5]}'])
def test_an_answer_is_shown_with_who_made_it_and_how_long_it_took(
    rows: str, operator: Client, gateway: PretendedGateway
) -> None:
    past()
    gateway.dispatcher.outcome = answer_with({"sum": np.array([[0.75]])})

    page = ask(operator, rows)

    asked = gateway.dispatcher.submitted[-1][0]
    assert (asked.network, asked.rows_count) == (NN_ID, 1)
    assert "0.75" in page
    assert 'id="result"' in page
    assert 'id="took"' in page
    assert rows in page


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("", "no JSON"), ("{", "no JSON"), ("5", "a list of rows"), ('"text"', "a list of rows"),
        ("{}", 'either "vector"'),
        ('[["a", 1]]', "numbers only"), ('{"data": [[1, 2]], "version": 0}', "Version must be"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_read_are_told_and_stay(
    rows: str, says: str, operator: Client, gateway: PretendedGateway
) -> None:
    past()

    page = ask(operator, rows, 400)

    assert says in page
    assert rows in page
    assert gateway.dispatcher.submitted == []


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (
            PredictionFailedError("Trace:\nworkers.runtime.errors.RowsError: no numbers"),
            200,
            "RowsError: no numbers.",
        ),
        (BusyError("Server is busy"), 503, "Server is busy."),
    ],
)
def test_what_went_wrong_is_told(
    error: InferenceError, status: int, says: str, operator: Client, gateway: PretendedGateway
) -> None:
    past()
    gateway.dispatcher.outcome = error

    page = ask(operator, "[[1, 2]]", status)

    assert says in page
    assert 'id="answer"' not in page


def test_a_network_that_is_not_there_is_told(operator: Client, gateway: PretendedGateway) -> None:
    assert operator.get(TRY).status_code == 404
