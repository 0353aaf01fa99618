"""`python -m tests.programs.load.openai`: the fake OpenAI with one image."""

from __future__ import annotations

import argparse
import asyncio
import base64
from collections import Counter
from dataclasses import replace

from tests.fake_openai import FakeOpenAI, success
from tests.fake_openai.pictures import Look, draw
from tests.programs.load.control import Json, serve


class Commands:
    """What the benchmark asks of it."""

    def __init__(self, fake: FakeOpenAI) -> None:
        self._fake = fake

    async def latency(self, given: Json) -> Json:
        self._fake.latency = given["seconds"]
        return {}

    async def report(self, _: Json) -> Json:
        """What happened since the last report, which is forgotten with it."""
        fake = self._fake
        creates = fake.creates
        shares = Counter(call.headers.get("openai-project", "") for call in creates)
        report = {
            "calls": len(fake.requests),
            "creates": len(creates),
            "made": [made.at for made in fake.made],
            "shares": dict(sorted(shares.items())),
            "complaints": fake.complaints,
        }
        fake.requests.clear()
        fake.made.clear()
        fake.forget_responses()
        return report


async def run(image_bytes: int) -> None:
    """Serve until SIGTERM."""
    data = draw(1, "", Look("1024x1024", "png"), image_bytes)
    async with FakeOpenAI(checked=False) as fake:
        fake.image_bytes = data
        fake.always(replace(success(), result=base64.b64encode(data).decode()))
        commands = Commands(fake)
        facts = {"base_url": fake.base_url, "api_key": fake.api_key, "image": len(data)}
        await serve({"latency": commands.latency, "report": commands.report}, facts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.load.openai", description=__doc__
    )
    parser.add_argument("--image-bytes", type=int, default=2_000_000)
    asyncio.run(run(parser.parse_args().image_bytes))
