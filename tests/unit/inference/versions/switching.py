"""Weight changes that unit tests make: two weights, an upload of one, and how the latest change went."""

from __future__ import annotations

from inference.gateway import gateway as this_gateway
from inference.models import Activation
from inference.versions.switch import SwitchResult
from tests.unit.samples import NN_ID

WEIGHTS, MORE_WEIGHTS = b"weights", b"more weights"


def upload(weights: bytes = WEIGHTS, nn_id: str = NN_ID) -> SwitchResult:
    """Have weights stored, loaded and made active."""
    return this_gateway().switch.set_weights(nn_id, "weights.b64", weights, "somebody")


def latest() -> Activation:
    """The latest change."""
    return Activation.objects.latest("id")
