"""One case of the fuzz: what is sent on a connection of its own, and what may come back."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum

from tests.support.samples import NN_IDS

#: The default network, which every prediction is asked of and which no case changes.
NN_ID = NN_IDS[0]
#: What no answer may be to: a request that stands inside another one's body.
SMUGGLED = "smuggled"
REFUSED = frozenset({400, 401, 403, 404, 405, 408, 409, 411, 413, 414, 415, 417, 429, 431, 501})
#: A gateway that cannot now says so; all other 5xx are defects.
CANNOT = frozenset({503, 504, 507})


class Ending(Enum):
    """What the client does when all is sent."""

    WAITS = "waits for the gateway to close"
    ENDS = "says that nothing more comes, and reads to the end"
    LEAVES = "closes at once"
    RESETS = "cuts the connection at once"


@dataclass(frozen=True)
class Rows:
    """Rows of a prediction; `certain` ones must be answered, of others the answer must be right if there is one."""

    rows: list[list[float]]
    certain: bool = True


#: Whatever rows they are, they may be answered.
ANY_ROWS = Rows([], certain=False)


@dataclass(frozen=True)
class Asked:
    """One request of a case. With `rows` its answer is the network's own to them; else one of the `statuses`."""

    request_id: str
    rows: Rows | None = None
    statuses: frozenset[int] = REFUSED | {200}
    is_head: bool = False
    #: Which of the field's protocols it speaks, by its address; "" is Pipeline's own.
    protocol: str = ""


@dataclass(frozen=True)
class Case:
    """The pieces are sent one after the other; `least` to `most` answers come back, the last ones to what is broken."""

    kind: str
    pieces: tuple[bytes, ...]
    asked: tuple[Asked, ...]
    least: int
    most: int
    ending: Ending = Ending.ENDS
    #: Whether the gateway gets to see the ids of the requests as they are.
    ids_kept: bool = True


@dataclass
class Chances:
    """A case's own chance, and names for its requests that no other case has."""

    chance: random.Random
    name: str
    _named: int = field(default=0)

    def new_id(self) -> str:
        """The id of the case's next request."""
        self._named += 1
        return f"{self.name}-{self._named}"

    @property
    def smuggled_id(self) -> str:
        """The id of a request that is none."""
        return f"{SMUGGLED}-{self.name}"
