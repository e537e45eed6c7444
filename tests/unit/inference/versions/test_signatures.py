"""Which version of a network is asked about, and what it takes and makes."""

from __future__ import annotations

import pytest

from inference.errors import ConflictError, NotFoundError
from inference.models import Label, Network, Version
from inference.versions import services
from inference.versions.signatures import asked_version, called, signature_of
from tests.unit.samples import NN_ID, two_versions
from workers.messages.network_signature import NetworkSignature, TensorSignature
from workers.messages.protocol import Report

pytestmark = pytest.mark.django_db
SIGNATURE = NetworkSignature([TensorSignature("x", "float32", [None])], [TensorSignature("y", "string", [])])


@pytest.fixture(autouse=True)
def two() -> None:
    """Version 2 is active, and version 1, which is called 2, stable."""
    two_versions()
    Network.objects.update(name="iris")
    for label in ("stable", "2"):
        Label.objects.create(network_id=NN_ID, label=label, version=Version.objects.get(number=1))


@pytest.mark.parametrize("network", ["iris", NN_ID])
@pytest.mark.parametrize(("which", "number"), [(None, 2), (1, 1), (2, 2), ("stable", 1), ("2", 1)])
def test_it_is_asked_for_by_its_number_or_label_or_as_the_active_one(
    network: str, which: int | str | None, number: int
) -> None:
    found = asked_version(network, which)

    assert (found.network_id, found.number) == (NN_ID, number)


@pytest.mark.parametrize(
    ("network", "which", "why"),
    [
        ("nobody", None, "there is no network nobody"),
        ("f" * 32, "stable", "there is no network ffff"),
        ("iris", 9, "there is no version 9 of network iris"),
        ("iris", "canary", "network iris has no label canary"),
    ],
)
def test_what_there_is_not_is_told(network: str, which: int | str | None, why: str) -> None:
    with pytest.raises(NotFoundError, match=why):
        asked_version(network, which)


def test_none_may_be_active() -> None:
    services.deactivate("iris", "somebody")

    with pytest.raises(NotFoundError, match="network iris has no active version"):
        asked_version("iris")


def test_its_signature_is_what_the_first_worker_has_told() -> None:
    activation = services.begin(asked_version("iris"), "activate", "somebody")  # type: ignore[arg-type]
    other = NetworkSignature(SIGNATURE.outputs, SIGNATURE.inputs)
    told = {"w1": None, "w2": SIGNATURE, "w3": other}
    reports = [Report(name, loaded=True, trace="", seconds=0.1, signature=each) for name, each in told.items()]
    services.record_reports(activation, reports)

    assert signature_of(asked_version("iris")) == SIGNATURE
    with pytest.raises(ConflictError, match=f"POST /networks/{NN_ID}/activate"):
        signature_of(asked_version("iris", 1))


def test_a_network_is_called_by_its_name_or_else_its_id() -> None:
    assert called(asked_version("iris")) == "iris"

    Network.objects.update(name=None)
    assert called(asked_version(NN_ID)) == NN_ID
