"""The ASGI application that gunicorn serves, and how a process starts and ends."""

from __future__ import annotations

import asyncio
import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from starlette.types import ASGIApp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_site.settings")

django = get_wsgi_application()

from gateway_site.amqp_life import start_amqp  # noqa: E402 - Django must be set up before
from gateway_site.cors import Cors  # noqa: E402
from gateway_site.ending import ENDING  # noqa: E402
from gateway_site.grpc_life import start_grpc  # noqa: E402
from gateway_site.succession import succession  # noqa: E402
from inference.gateway import gateway, start_gateway, stop_gateway  # noqa: E402
from inference.http.bodies.request_body import Receive, Send  # noqa: E402
from inference.http.django_door import DjangoDoor, GatewayRequest  # noqa: E402
from inference.http.doors import Doors  # noqa: E402
from workers.settings import settings as shared_settings  # noqa: E402

#: Beside two threads for each weight change, so many for /status, the admin and the like. Half of all may wait for
#: large bodies: those of as many weight changes as may be made, so that none cuts another one off, and of some others.
OTHER_THREADS = 256
#: Old processes serve while a new one starts: for how long it lets them, until it can answer predictions itself.
READY_SECONDS = 0.75 * shared_settings().request_timeout_seconds
LOOK_SECONDS = 0.2
#: Objects made until the collector looks among them; Python's own is 700, and with 100,000 it stops all for 0.15 s.
COLLECT_AFTER = (10_000, 20, 20)

django.request_class = GatewayRequest
_door = DjangoDoor(django, 2 * settings.PIPELINE_WEIGHT_CHANGES_MAX + OTHER_THREADS)


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(start_gateway, loop)
    until = loop.time() + READY_SECONDS if succession().only_old_ones_serve else 0.0
    while loop.time() < until and not gateway().ready:
        await asyncio.sleep(LOOK_SECONDS)
    answers_grpc = await start_grpc(_doors.on_loop.large_bodies)
    answers_amqp = start_amqp()
    # What is there by now stays: the collector need not walk Django's objects. And it need not look after every few
    # requests for what they leave; looking a tenth as often, a gateway answers a tenth more, and no pause is long.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    ENDING.begins.set()  # which our own server has said before
    for answers in filter(None, (answers_grpc, answers_amqp)):
        await answers
    await asyncio.to_thread(stop_gateway)
    _door.close()
    await send({"type": "lifespan.shutdown.complete"})


_doors = Doors(_door, _live)
application: ASGIApp = _doors
if settings.PIPELINE_CORS_ORIGINS:
    application = Cors(_doors, settings.PIPELINE_CORS_ORIGINS)
