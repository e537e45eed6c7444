"""What every request for a prediction passes before it is read, whichever door it came by."""

from __future__ import annotations

from inference.access.asks import Asks
from inference.access.rights import PREDICT
from inference.dispatch.predictions import Predictions
from inference.gateway import gateway
from inference.http.permission import require_right
from inference.http.throttle import throttle


def admit(asks: Asks, door: str) -> Predictions:
    """Let it in, to what answers it.

    Raises:
        BusyError: there is no room for it.
        NoTokenError, NoRightError: who asks may not.
        TooManyRequestsError: who asks has asked for too much.
    """
    predictions = gateway().predictions
    predictions.refuse_when_full(door)
    require_right(asks, PREDICT)
    throttle(asks, PREDICT)
    return predictions
