"""How a simulator in a process of its own is driven: JSON over HTTP."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Command = Callable[[Json], Awaitable[Json]]


async def serve(commands: dict[str, Command], facts: Json) -> None:
    """Say the facts and where the commands are taken, as one line on stdout; then take commands
    until SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def handle(request: web.Request) -> web.Response:
        return web.json_response(await commands[request.match_info["name"]](await request.json()))

    app = web.Application()
    app.router.add_post("/{name}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    sys.stdout.write(json.dumps({**facts, "control": f"http://127.0.0.1:{port}/"}) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await runner.cleanup()
