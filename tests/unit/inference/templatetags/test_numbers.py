"""Rates and shares are written with as many digits as say something, and nothing that is there is written as 0."""

from __future__ import annotations

import pytest

from inference.templatetags.numbers import percent, rate


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (0.004, "< 0.01"), (0.25, "0.25"), (12.34, "12.3"), (150.4, "150"), (12345.6, "12,346")],
)
def test_a_rate(value: float, written: str) -> None:
    assert rate(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(0.0, "0%"), (0.00001, "< 0.01%"), (0.0123, "1.23%"), (0.5, "50.0%"), (1.0, "100.0%")]
)
def test_a_share(value: float, written: str) -> None:
    assert percent(value) == written
