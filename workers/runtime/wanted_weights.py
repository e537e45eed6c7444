"""What an architecture wants of a weights file: the variables, their shapes, and how much that may be in bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import prod
from typing import Any, Self

#: What to do with a file that holds some of the weights and nothing else.
IF_SHARD = "If it is one of several files, save all weights into one (Keras: without max_shard_size)"
#: The widest number that a file may hold, in bytes.
WIDEST_NUMBER_BYTES = 8


@dataclass(frozen=True)
class Variable:
    """One variable of a network, by its Keras path, such as `hidden_1/kernel`.

    `place` is where it stands among the layers, such as `encoder/hidden_1/kernel`; see `workers.runtime.live_paths`.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    place: str = ""


@dataclass(frozen=True)
class SavedArray:
    """One array of a file that Keras saves."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class WantedWeights:
    """The saved variables of an architecture, in Keras's order; `dense_chain`: it is a plain chain of Dense layers.

    `layers` has the numbers of each layer's variables, those that are trained first, as a legacy file has them.
    `saved_arrays` are the arrays of a file that Keras saves, which may be others than the variables (see
    `workers.runtime.saved_arrays`); without, there is one for each variable. `saved_as` are the names of the variables'
    arrays in such a file, when these are known. `order` names a PyTorch file's layers as they are used; without, and
    when there are several orders, `choice` is the number of one, from 0.
    """

    model_name: str
    variables: tuple[Variable, ...]
    dense_chain: bool
    layers: tuple[tuple[str, tuple[int, ...]], ...] = ()
    saved_as: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    choice: int | None = None
    saved_arrays: tuple[SavedArray, ...] = ()

    @property
    def max_bytes(self) -> int:
        """The most bytes that the arrays of a file can have in all."""
        return max(_count_numbers(self.variables), _count_numbers(self.saved_arrays)) * WIDEST_NUMBER_BYTES

    @property
    def saved_dtypes(self) -> tuple[str, ...]:
        """The dtypes of the arrays of a file that Keras saves, one for each."""
        return tuple(each.dtype for each in self.saved_arrays or self.variables)

    @property
    def saved(self) -> dict[str, Variable]:
        """The variables by the names of their arrays in a file that Keras saves; none when these are not known."""
        return dict(zip(self.saved_as, self.variables, strict=True)) if self.saved_as else {}

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """What `to_json` made."""
        variables = tuple(
            Variable(each["path"], tuple(each["shape"]), each["dtype"], each["place"]) for each in data["variables"]
        )
        saved_arrays = tuple(SavedArray(tuple(each["shape"]), each["dtype"]) for each in data["saved_arrays"])
        saved_as, order = tuple(data["saved_as"]), tuple(data["order"])
        layers = tuple((name, tuple(numbers)) for name, numbers in data["layers"])
        return cls(
            data["model_name"], variables, data["dense_chain"], layers, saved_as, order, data["choice"], saved_arrays
        )


def _count_numbers(arrays: Iterable[Variable | SavedArray]) -> int:
    return sum(prod(each.shape) for each in arrays)
