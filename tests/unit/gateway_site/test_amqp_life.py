"""When a gateway process takes tasks from the broker."""

from __future__ import annotations

from gateway_site.amqp_life import start_amqp


def test_the_embedded_form_takes_none() -> None:
    assert start_amqp() is None
