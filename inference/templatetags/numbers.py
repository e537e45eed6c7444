"""How pages write times, rates and shares; imports nothing of the admin, whose templates load it while it is made."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def milliseconds(value: float | None) -> str:
    """A time as it is shown."""
    if value is None:
        return "-"
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


@register.filter
def rate(value: float) -> str:
    """Requests a second: as many digits as say something."""
    if 0 < value < 0.01:
        return "< 0.01"
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


@register.filter
def percent(value: float) -> str:
    """A share; none that is not 0 is written as 0."""
    if 0 < value < 0.0001:
        return "< 0.01%"
    return "0%" if value == 0 else f"{value:.2%}" if value < 0.1 else f"{value:.1%}"
