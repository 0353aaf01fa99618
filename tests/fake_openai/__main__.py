"""`python -m tests.fake_openai --port 8080 --latency 0.5`: the fake as a process of its own."""

import argparse
import asyncio
import signal
import sys

from . import FakeOpenAI


async def serve(port: int, latency: float) -> None:
    """Run until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with FakeOpenAI(port, latency=latency) as fake:
        sys.stdout.write(f"OPENAI_BASE_URL={fake.base_url} OPENAI_API_KEY={fake.api_key}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.fake_openai", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds an image takes")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.latency))


if __name__ == "__main__":
    main()
