"""`python -m tests.programs.footprint [-v]`: which of the product takes part in one approved image.

The modules and functions from `/imagine` to Approve. The whole program runs in this process, web
and worker, over Socket Mode against the simulated Slack and the fake OpenAI. `sys.setprofile` sees
every call from the command to the retired draft. A function counts by its code; lambdas and
comprehensions do not. The simulated Slack is not the product. With `-v`, each by name.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType

import bot
from bot.adapters.embedded_redis import EmbeddedRedis
from bot.sandbox import SimulatedSlack
from bot.settings import Settings
from bot.wiring.lifecycle import Role, run
from tests.fake_openai import FakeOpenAI

PRODUCT = Path(bot.__file__).parent
QUIET = 0.5
"""Seconds before and after, for what belongs to the start, and for what follows."""


class Profile:
    """The code that was called while it is recorded."""

    def __init__(self) -> None:
        self._called: set[CodeType] = set()

    def start(self) -> None:
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def stop(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            self._called.add(frame.f_code)

    def functions(self) -> dict[str, list[str]]:
        """Module → the names of its functions."""
        found: dict[str, list[str]] = defaultdict(list)
        for code in self._called:
            path = Path(code.co_filename)
            if code.co_name.startswith("<") or not path.is_relative_to(PRODUCT):
                continue
            module = str(path.relative_to(PRODUCT))
            if not module.startswith("sandbox"):
                found[module].append(code.co_qualname)
        return found


async def record() -> Profile:
    """One image, approved."""
    profile = Profile()
    with tempfile.TemporaryDirectory() as folder, EmbeddedRedis(Path(folder)) as redis:
        async with SimulatedSlack() as slack, FakeOpenAI() as openai:
            os.environ |= {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url,
                "REDIS_URL": redis.url,
                "OPENAI_API_KEY": openai.api_key,
                "OPENAI_BASE_URL": openai.base_url,
            }
            program = asyncio.create_task(run(Settings(), Role.WEB | Role.WORKER))
            await slack.wait_for(lambda: slack.delivery.sockets.links, what="a connection")
            await asyncio.sleep(QUIET)
            profile.start()
            await approve_one(slack)
            await asyncio.sleep(QUIET)
            profile.stop()
            program.cancel()
            with suppress(asyncio.CancelledError):
                await program
    return profile


async def approve_one(slack: SimulatedSlack) -> None:
    alice, channel = slack.user("alice"), slack.workspace.add_channel("footprint")
    await slack.slash(alice, channel, "/imagine", "a robot eating pizza on Mars")
    root = await slack.wait_for_message(channel, text="imagines")
    draft = await slack.wait_for_message(channel, thread_ts=root.ts, button="Approve")
    await asyncio.sleep(QUIET)
    await slack.click(alice, draft, "Approve")
    await slack.wait_for(lambda: not draft.buttons(), what="the draft retired")


def main() -> None:
    functions = asyncio.run(record()).functions()
    if "-v" in sys.argv:
        for module in sorted(functions):
            sys.stdout.write(f"{module}: {', '.join(sorted(functions[module]))}\n")
    total = sum(map(len, functions.values()))
    sys.stdout.write(f"{len(functions)} modules, {total} functions\n")


if __name__ == "__main__":
    main()
