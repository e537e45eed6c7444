"""How long a gateway process takes tasks from the broker; not in the embedded form, where nobody else can send any."""

from __future__ import annotations

import asyncio

from django.conf import settings

from gateway_site.ending import ENDING
from inference.amqp_door.door import AmqpDoor
from workers.settings import settings as shared_settings


def start_amqp() -> asyncio.Task[None] | None:
    """Answer tasks until the process ends; the task is done when all that was taken is answered."""
    if shared_settings().embedded:
        return None
    door = AmqpDoor(asyncio.get_running_loop())
    door.start()
    return asyncio.create_task(_end(door))


async def _end(door: AmqpDoor) -> None:
    await ENDING.begins.wait()
    door.take_no_more()
    idle = asyncio.create_task(asyncio.to_thread(door.wait_idle, settings.PIPELINE_REQUEST_TIMEOUT))
    at_once = asyncio.create_task(ENDING.at_once.wait())
    await asyncio.wait([idle, at_once], return_when=asyncio.FIRST_COMPLETED)
    at_once.cancel()
    await asyncio.to_thread(door.stop)
    await idle
