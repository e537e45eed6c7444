"""What Keras, or own code, says over many lines when it fails, as the reason in one; the trace has the rest."""

from __future__ import annotations

import re

MAX_REASON_CHARACTERS = 500
#: Keras tells the whole config of each layer around the one that failed, and then what that one said; sets words in
#: bold; and lists what a layer was called with.
_AROUND = re.compile(
    r".*Exception encountered(?: when calling [^\n]*)?[:.]+\s|\x1b\[\d*m|\sArguments received by .*", re.DOTALL
)


def say_reason(error: BaseException) -> str:
    """The reason, or the error's name where it gives none."""
    if isinstance(error, KeyError):  # it says no more than the key
        return f"{error} is missing"[:MAX_REASON_CHARACTERS]
    return " ".join(_AROUND.sub("", str(error)).split())[:MAX_REASON_CHARACTERS] or type(error).__name__
