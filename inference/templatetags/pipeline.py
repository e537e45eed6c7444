"""What the admin writes numbers with; imports nothing of the admin, whose templates load it while it is made."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def milliseconds(value: float | None) -> str:
    """A time as it is shown."""
    if value is None:
        return "-"
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"
