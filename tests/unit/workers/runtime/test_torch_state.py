"""Of what a PyTorch file holds, the state_dict is found where there is one, and what is not used is named."""

from __future__ import annotations

from typing import Any

import pytest

from workers.runtime.torch_pickle import Storage, Tensor
from workers.runtime.torch_state import find_state


def a_tensor(*shape: int, dtype: str = "<f4") -> Tensor:
    return Tensor(Storage(dtype, "0", 100), 0, shape, (1,) * len(shape), negated=False)


WEIGHT, NUMBER, GENERATOR = a_tensor(2, 3), a_tensor(), a_tensor(16, dtype="|u1")
STATE = {"0.weight": WEIGHT, "0.bias": a_tensor(3)}


@pytest.mark.parametrize(
    ("held", "ignored"),
    [
        (STATE, ()),
        ({**STATE, "epoch": 3, "config": {"width": 2}}, ("epoch", "config")),
        ({"state_dict": STATE}, ()),
        (
            {"epoch": 3, "model_state_dict": STATE, "optimizer": {"state": {0: {"step": NUMBER}}}},
            ("epoch", "optimizer"),
        ),
        ({"net": STATE, "loss": NUMBER, "random": GENERATOR, 5: None}, ("loss", "random", "int")),
        ({"net": {**STATE, "_extra_state": None}, "loss": 0.5}, ("_extra_state", "loss")),
        ({"net": STATE, "scaler": {"scale": NUMBER}, "generators": {"cpu": GENERATOR}}, ("scaler", "generators")),
    ],
)
def test_the_one_dict_with_weights_is_the_state_and_all_else_is_named(held: Any, ignored: tuple[str, ...]) -> None:
    found = find_state(held)

    assert (found.tensors, found.ignored) == (STATE, ignored)


def test_a_scalar_of_the_state_is_one_of_its_tensors() -> None:
    """Whether a layer has it is known later."""
    assert find_state({**STATE, "steps": NUMBER}).tensors == {**STATE, "steps": NUMBER}


def test_a_state_of_bytes_alone_is_one() -> None:
    assert find_state({"table": GENERATOR}).tensors == {"table": GENERATOR}


@pytest.mark.parametrize(
    ("held", "names"),
    [
        ({"model": STATE, "average": STATE}, r"model,average"),
        ({**STATE, "average": STATE}, r"average,0\.weight \(a tensor\),0\.bias \(a tensor\)"),
    ],
)
def test_weights_in_several_places_are_refused_with_their_names(held: Any, names: str) -> None:
    with pytest.raises(ValueError, match=f"in several places \\({names}\\).* save it by torch.save"):
        find_state(held)


@pytest.mark.parametrize(
    "held", [None, 5, [WEIGHT], WEIGHT, {}, {"epoch": 3}, {1: WEIGHT}, {"net": {1: WEIGHT}}, {"a": {"b": STATE}}]
)
def test_what_has_no_state_is_refused_with_what_to_do(held: Any) -> None:
    with pytest.raises(ValueError, match=r"no state_dict.*: save it by torch\.save\(model\.state_dict\(\), path\)"):
        find_state(held)
