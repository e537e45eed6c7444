"""Layers of a state_dict find their places by numbers and shapes, or are refused: never by chance."""

from __future__ import annotations

import random

import pytest

from workers.runtime.torch_layers import ORDERS_MAX, Layer, orders_of_use, refuse_several

HIDDEN, LAST = (4, 4), (4, 1)


def chain(*shapes: tuple[int, int]) -> list[Layer]:
    return [Layer(f"dense_{number}", shape, bias=True) for number, shape in enumerate(shapes)]


def file(**shapes: tuple[int, int]) -> list[Layer]:
    return [Layer(name.replace("__", "."), shape, bias=True) for name, shape in shapes.items()]


def in_order_of_use(layers: list[Layer], wanted: list[Layer]) -> list[Layer]:
    orders = orders_of_use(layers, wanted, ())
    refuse_several(orders)
    return orders[0]


def names(layers: list[Layer]) -> list[str]:
    return [layer.name for layer in layers]


def test_numbers_count_as_numbers() -> None:
    """safetensors has `layers.10` before `layers.2`."""
    as_text = [Layer(f"layers.{number}", HIDDEN, bias=True) for number in sorted(range(12), key=str)]

    assert names(in_order_of_use(as_text, chain(*[HIDDEN] * 12))) == [f"layers.{number}" for number in range(12)]


def test_numbers_within_names_count_and_groups_are_told_apart_by_shapes() -> None:
    layers = file(net__2=HIDDEN, head=LAST, net__0=HIDDEN)
    assert names(in_order_of_use(layers, chain(HIDDEN, HIDDEN, LAST))) == ["net.0", "net.2", "head"]


def test_shapes_that_leave_one_way_decide_whatever_the_file_has_first() -> None:
    layers = file(out=LAST, second=HIDDEN, first=(2, 4))
    assert names(in_order_of_use(layers, chain((2, 4), HIDDEN, LAST))) == ["first", "second", "out"]


def test_a_bias_tells_layers_apart() -> None:
    without, with_one = Layer("b", HIDDEN, bias=False), Layer("a", HIDDEN, bias=True)
    wanted = [Layer("x", HIDDEN, bias=True), Layer("y", HIDDEN, bias=False)]
    assert in_order_of_use([without, with_one], wanted) == [with_one, without]


@pytest.mark.parametrize(
    "layers",
    [
        file(inp=(2, 4), first=HIDDEN, second=HIDDEN, out=LAST),
        file(inp=(2, 4), net__0=HIDDEN, other=HIDDEN, out=LAST),
        file(inp=(2, 4), a__1=HIDDEN, b__1=HIDDEN, out=LAST),
    ],
)
def test_layers_that_could_be_swapped_are_named(layers: list[Layer]) -> None:
    for _ in range(3):
        random.Random(1).shuffle(layers)
        with pytest.raises(ValueError, match=r"(\S+) and (\S+) have one shape, .*Send order=") as refused:
            in_order_of_use(layers, chain((2, 4), HIDDEN, HIDDEN, LAST))
        assert not {"inp", "out"} & set(str(refused.value).split())


def test_numbers_that_contradict_the_shapes_do_not_count_and_what_could_be_swapped_is_refused() -> None:
    """The numbers are widths: no order has `fc64` before `fc128`."""
    layers = file(fc128=(10, 128), second=(128, 128), first=(128, 128), fc64=(128, 64))
    wanted = chain((10, 128), (128, 128), (128, 128), (128, 64))

    orders = orders_of_use(layers, wanted, ())

    assert [names(order) for order in orders] == [
        ["fc128", "second", "first", "fc64"],
        ["fc128", "first", "second", "fc64"],
    ]
    with pytest.raises(ValueError, match="second and first have one shape"):
        refuse_several(orders)


def test_numbers_that_contradict_the_shapes_leave_the_one_order_of_the_shapes() -> None:
    layers = file(fc64=(128, 64), fc128=(10, 128))
    layers.sort(key=lambda layer: layer.shape, reverse=True)
    assert names(in_order_of_use(layers, chain((10, 128), (128, 64)))) == ["fc128", "fc64"]


def test_numbers_that_contradict_the_shapes_leave_no_more_orders_than_are_tried() -> None:
    layers = file(fc9=(2, 4), a=HIDDEN, b=HIDDEN, c=HIDDEN, d=HIDDEN, e=HIDDEN, fc1=LAST)
    with pytest.raises(ValueError, match=f"more than {ORDERS_MAX} orders"):
        orders_of_use(layers, chain((2, 4), *[HIDDEN] * 5, LAST), ())


def test_many_layers_that_fit_in_no_order_stay_as_they_are() -> None:
    layers = [Layer(f"net.{number}", HIDDEN, bias=True) for number in range(30)]
    assert in_order_of_use(layers, chain(*[HIDDEN] * 29, LAST)) == layers


def test_what_fits_in_no_order_stays_as_it_is_for_whoever_says_what_does_not_fit() -> None:
    layers = file(a=(3, 3), b=(5, 5))
    assert in_order_of_use(layers, chain((3, 3), (7, 7))) == layers
    assert in_order_of_use(layers, chain((3, 3))) == layers


def test_the_order_that_is_told_is_taken_whatever_numbers_say() -> None:
    layers = file(net__0=HIDDEN, net__1=HIDDEN, out=LAST)
    orders = orders_of_use(layers, chain(HIDDEN, HIDDEN, LAST), ["net.1", "net.0", "out"])
    assert [names(order) for order in orders] == [["net.1", "net.0", "out"]]


@pytest.mark.parametrize("order", [["a"], ["a", "b", "c"], ["a", "c"]])
def test_an_order_that_does_not_name_the_layers_each_once_is_refused(order: list[str]) -> None:
    with pytest.raises(ValueError, match="order must name the file's layers, each once: a,b; got a"):
        orders_of_use(file(a=HIDDEN, b=HIDDEN), chain(HIDDEN, HIDDEN), order)


def test_more_orders_than_are_tried_are_refused_with_one_that_could_be_sent() -> None:
    five = file(a=HIDDEN, b=HIDDEN, c=HIDDEN, d=HIDDEN, e=HIDDEN)
    with pytest.raises(ValueError, match=f"more than {ORDERS_MAX} orders: Send order=.* one of them is a,b,c,d,e;"):
        orders_of_use(five, chain(*[HIDDEN] * 5), ())


def test_a_file_that_fits_in_very_many_ways_is_refused_soon() -> None:
    """Every group fits again and again, until the last layer fits none."""
    layers = [Layer(f"{letter}.{number}", HIDDEN, bias=True) for letter in "abcdefgh" for number in range(8)]
    with pytest.raises(ValueError, match="too many ways"):
        in_order_of_use([*layers[:-1], Layer("z", (9, 9), bias=True)], chain(*[HIDDEN] * 64))
