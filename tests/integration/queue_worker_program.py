"""A worker in a process of its own, for the queue's tests.

It prints `started <job id>` for each job, which takes as many seconds as asked, and
`ended <job id>`. Like the bot, it ends on SIGTERM, with the grace asked for. Asked to `block`, it
holds its event loop up for all of a job's time. It imports no more than it needs, and starts soon.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time

from bot.adapters.queue import BullWorker
from bot.domain.jobs import Job


async def main(url: str, seconds: float, grace: float, how: str, lease: float) -> None:
    async def handle(job: Job, repeated: bool) -> None:
        print("started", job.id, flush=True)  # noqa: T201
        if how == "block":
            time.sleep(seconds)  # noqa: ASYNC251 - that is the fault
        else:
            await asyncio.sleep(seconds)
        print("ended", job.id, flush=True)  # noqa: T201

    worker = BullWorker(url, handle, 10, lease)
    run = asyncio.create_task(worker.run())
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    await terminated.wait()
    await worker.stop(grace)
    await run


if __name__ == "__main__":
    asyncio.run(
        main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4], float(sys.argv[5]))
    )
