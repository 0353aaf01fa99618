"""The slots that all workers share for calls to the provider, in a real Valkey."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import pytest

from bot.adapters.queue import BullJobQueue, BullWorker
from bot.adapters.queue.job_data import GENERATE_QUEUE, PREFIX
from bot.adapters.redis import RedisProviderSlots, redis_client
from bot.concurrency import cancel_and_wait
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.jobs import Job
from bot.generation.shared_provider import PAUSE, SharedProvider
from bot.jobs.sweeper import INTERVAL
from bot.ports import CancelledCall, JobState
from bot.sandbox import PATIENCE
from bot.work_slots import without_slot
from tests.fakes import IMAGE
from tests.integration.queue_worker import generation, reached, until

LEASE = 15.0


def never() -> bool:
    return False


@asynccontextmanager
async def slots(url: str, number: int, lease: float = LEASE) -> AsyncIterator[RedisProviderSlots]:
    redis = redis_client(url, 2.0)
    yield RedisProviderSlots(redis, 2.0, number, lease)
    await redis.aclose()


async def is_free(slots: RedisProviderSlots) -> bool:
    """Whether there is a slot now."""
    looks = iter([False, True])
    lease = await slots.take(lambda: next(looks))
    if lease is not None:
        await slots.give_back(lease)
    return lease is not None


async def test_all_processes_together_have_so_many(redis_url: str) -> None:
    async with slots(redis_url, 2) as one, slots(redis_url, 2) as other:
        first, second = await one.take(never), await other.take(never)
        assert first
        assert second
        assert not await is_free(one)
        assert not await is_free(other)
        waiting = asyncio.create_task(other.take(never))
        await one.give_back(first)
        await one.give_back(first)
        assert await asyncio.wait_for(waiting, PATIENCE)
        assert not await is_free(one)


async def test_without_a_limit_there_is_always_one(redis_url: str) -> None:
    async with slots(redis_url, 0) as one:
        assert all([await one.take(never) for _ in range(50)])
        assert await one._redis.keys("*") == []


async def test_a_killed_process_gives_its_slots_back_and_a_live_one_keeps_them(
    redis_url: str,
) -> None:
    async with slots(redis_url, 2, 0.4) as killed, slots(redis_url, 2, 0.4) as live:
        await killed.take(never)
        kept = await live.take(never)
        renewing = asyncio.create_task(live.renew_for_ever())
        assert await asyncio.wait_for(live.take(never), PATIENCE)
        await asyncio.sleep(0.5)
        assert not await is_free(killed)
        renewing.cancel()
        assert kept


async def test_the_slots_of_a_killed_process_are_free_with_the_next_sweep(redis_url: str) -> None:
    redis = redis_client(redis_url, 2.0)
    await RedisProviderSlots(redis, 2.0, 1).take(never)
    left = await redis.pttl("{imagine}:provider:slot:1")
    await redis.aclose()
    assert 0 < left <= INTERVAL * 1000


async def test_a_slot_whose_lease_ended_in_an_outage_is_taken_again_where_it_is_free(
    redis_url: str,
) -> None:
    async with slots(redis_url, 1) as one, slots(redis_url, 1) as other:
        lease = await one.take(never)
        assert lease
        await one._redis.delete("{imagine}:provider:slot:1")
        await one.renew()
        assert not await is_free(other)
        await one.give_back(lease)
        assert await is_free(other)


async def test_a_slot_that_is_given_back_while_it_is_renewed_is_free(redis_url: str) -> None:
    async with slots(redis_url, 1) as one, slots(redis_url, 1) as other:
        lease = await one.take(never)
        assert lease
        await one._redis.delete("{imagine}:provider:slot:1")
        renew = one._renew

        async def late(**arguments: Any) -> Any:
            await one.give_back(lease)
            return await renew(**arguments)

        one._renew = late
        await one.renew()
        assert await is_free(other)


async def test_after_an_outage_those_who_have_slots_come_first(redis_url: str) -> None:
    """Their leases may have ended in it, and they renew them now and then."""
    async with slots(redis_url, 1, 1.0) as holder, slots(redis_url, 1, 1.0) as waits:
        assert await holder.take(never)
        look, outage = waits._take, asyncio.Event()

        async def away(**arguments: Any) -> Any:
            outage.set()
            waits._take = look
            raise ConnectionError

        waits._take = away
        waiting = asyncio.create_task(waits.take(never))
        await outage.wait()
        await holder._redis.delete("{imagine}:provider:slot:1")
        renewing = asyncio.create_task(holder.renew_for_ever())
        await asyncio.sleep(0.7)
        assert not waiting.done()
        assert await holder._redis.get("{imagine}:provider:slot:1") in holder._held
        renewing.cancel()
        await asyncio.wait_for(waiting, PATIENCE)


async def test_a_second_call_of_a_job_that_fails_gives_its_slot_back(redis_url: str) -> None:
    """The first one has given the job's back."""
    provider = Provider()
    async with slots(redis_url, 1) as one, slots(redis_url, 1) as other:
        backend, nothing = SharedProvider(provider, one), cast(Any, None)
        lease = await one.take(never)
        assert lease
        one.use(lease)
        await backend.generate(nothing, nothing)
        provider.answers = [GenerationError(FailureKind.PROVIDER_DOWN)]
        with pytest.raises(GenerationError):
            await backend.generate(nothing, nothing)
        await one.give_back(lease)
        assert await is_free(other)


async def test_a_late_process_neither_renews_nor_gives_back_the_slot_of_another(
    redis_url: str,
) -> None:
    async with slots(redis_url, 1, 0.3) as late, slots(redis_url, 1, 10.0) as other:
        lost = await late.take(never)
        assert lost
        assert await asyncio.wait_for(other.take(never), PATIENCE)
        await late.renew()
        await late.give_back(lost)
        assert not await is_free(late)


class Provider:
    """An image backend that notes its calls, and raises what is in `answers`."""

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.jobs: list[str] = []
        self.answers: list[Exception] = []
        self.now = self.most = 0
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def generate(self, request: Any, checkpoint: Any) -> Any:
        self.calls.append(time.monotonic())
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.may_end.wait()
            await asyncio.sleep(0.05)
            if self.answers:
                raise self.answers.pop()
            return IMAGE
        finally:
            self.now -= 1

    async def cancel(self, response_id: str) -> CancelledCall:
        return CancelledCall()

    async def close(self) -> None: ...


def call(provider: SharedProvider) -> asyncio.Task[Any]:
    nothing: Any = None
    return asyncio.create_task(provider.generate(nothing, nothing))


def too_many(retry_after: float | None) -> GenerationError:
    return GenerationError(FailureKind.RATE_LIMITED, retry_after=retry_after)


@pytest.mark.parametrize(("retry_after", "pause"), [(0.7, 0.7), (None, PAUSE), (3_600.0, PAUSE)])
async def test_a_429_slows_all_workers_down(
    redis_url: str, retry_after: float | None, pause: float
) -> None:
    provider = Provider()
    provider.answers = [too_many(retry_after)]
    async with slots(redis_url, 0) as one, slots(redis_url, 0) as other:
        with pytest.raises(GenerationError):
            await call(SharedProvider(provider, one))
        refused = time.monotonic()
        assert not await is_free(other)  # nobody takes a job
        await call(SharedProvider(provider, other))  # nor calls, who has one
        assert provider.calls[1] - refused >= pause - 0.1
        assert await is_free(other)


async def test_other_failures_slow_nobody_down(redis_url: str) -> None:
    provider = Provider()
    provider.answers = [GenerationError(FailureKind.PROVIDER_DOWN, retry_after=30.0)]
    async with slots(redis_url, 0) as one:
        with pytest.raises(GenerationError):
            await call(SharedProvider(provider, one))
        assert await is_free(one)


async def test_the_longer_pause_counts(redis_url: str) -> None:
    async with slots(redis_url, 0) as one:
        await one.pause(50.0)
        await one.pause(0.1)
        assert 45_000 < await one._redis.pttl("{imagine}:provider:pause") <= 50_000


@asynccontextmanager
async def workers(
    url: str,
    provider: Provider,
    number: int,
    count: int,
    concurrency: int = 10,
    slot_lease: float = LEASE,
) -> AsyncIterator[list[BullWorker]]:
    """So many workers that share so many slots; each job is one call."""
    async with AsyncExitStack() as stack:
        queue = BullJobQueue(url)
        stack.push_async_callback(queue.close)
        started, runs = [], []
        for _ in range(count):
            shared = await stack.enter_async_context(slots(url, number, slot_lease))
            backend = SharedProvider(provider, shared)

            async def handle(job: Job, repeated: bool, backend: SharedProvider = backend) -> None:
                provider.jobs.append(job.id)
                await call(backend)

            worker = BullWorker(url, queue.in_turn(handle), concurrency, LEASE, shared)
            runs.append(asyncio.create_task(worker.run()))
            started.append(worker)
        yield started
        await asyncio.gather(*(worker.stop(0) for worker in started))
        await asyncio.gather(*runs)


async def test_workers_together_call_no_more_than_may(
    queue: BullJobQueue, queue_server: Any
) -> None:
    provider, jobs = Provider(), [generation(f"T1.U{n}.{n:x}") for n in range(12)]
    async with workers(queue_server.connection_url, provider, number=3, count=2):
        for job in jobs:
            await queue.add(job)
        for job in jobs:
            await reached(queue, job, JobState.DONE)
    assert len(provider.calls) == 12
    assert provider.most == 3
    assert await queue._redis.keys("{imagine}:provider*") == []


async def test_who_comes_later_is_before_who_waits_for_a_slot(
    queue: BullJobQueue, queue_server: Any
) -> None:
    """What waits for a slot waits in the queue, and not in a worker, where nobody could pass."""
    provider, greedy = Provider(), [generation(f"T1.GREEDY.{n:x}") for n in range(8)]
    provider.may_end.clear()
    async with workers(queue_server.connection_url, provider, number=2, count=2):
        for job in greedy:
            await queue.add(job)
        await until(lambda: len(provider.calls) == 2)
        other = generation("T1.OTHER.1")
        await queue.add(other)
        assert (await queue.waiting())[0] == other
        provider.may_end.set()
        await reached(queue, other, JobState.DONE)
        await reached(queue, greedy[-1], JobState.DONE)
    assert provider.jobs.index(other.id) in (2, 3)


async def test_a_worker_that_waits_for_a_slot_stops_at_once(
    queue: BullJobQueue, queue_server: Any
) -> None:
    url = queue_server.connection_url
    async with slots(url, 1) as another:
        await another.take(never)
        provider = Provider()
        async with workers(url, provider, number=1, count=1) as (worker,):
            await queue.add(generation("T1.U1.1"))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            await worker.stop(5.0)
            assert time.monotonic() - began < 3.0
        assert provider.calls == []
        assert len(await queue.waiting()) == 1


async def test_a_slot_is_free_once_the_image_is_there_and_with_the_end_of_a_failed_job(
    queue: BullJobQueue, queue_server: Any
) -> None:
    url, provider = queue_server.connection_url, Provider()
    delivered = asyncio.Event()
    async with slots(url, 1) as shared, slots(url, 1) as another:
        backend = SharedProvider(provider, shared)

        async def handle(job: Job, repeated: bool) -> None:
            await call(backend)
            await delivered.wait()

        worker = BullWorker(url, handle, 1, LEASE, shared)
        run = asyncio.create_task(worker.run())
        first, second = generation("T1.U1.1"), generation("T1.U1.2")
        await queue.add(first)
        assert await asyncio.wait_for(another.take(never), PATIENCE)
        await another.give_back(next(iter(another._held)))
        delivered.set()
        await reached(queue, first, JobState.DONE)
        provider.answers = [too_many(0.1)]
        await queue.add(second)
        await until(lambda: len(provider.calls) >= 2)
        await worker.stop(0)
        await run
        assert shared._held == {}


@pytest.mark.parametrize("in_line", [30.0, 0.0], ids=["waits for its turn", "uploads"])
async def test_a_generation_that_has_its_image_keeps_no_slot(
    queue: BullJobQueue, queue_server: Any, in_line: float
) -> None:
    """One worker, one generation at a time, one slot: a crowded channel, or a slow upload, does not
    hold up others."""
    url, provider = queue_server.connection_url, Provider()
    has_turn = asyncio.Event()
    async with slots(url, 1, lease=2 * PATIENCE) as shared:  # its end gives nothing back
        backend = SharedProvider(provider, shared)

        async def handle(job: Job, repeated: bool) -> None:
            await call(backend)
            if job == crowded:
                with without_slot(in_line):
                    await has_turn.wait()

        worker = BullWorker(url, queue.in_turn(handle), 1, LEASE, shared)
        run = asyncio.create_task(worker.run())
        crowded, *others = (generation(f"T1.U{n}.1") for n in range(4))
        await queue.add(crowded)
        await until(lambda: len(provider.calls) == 1)
        for other in others:
            await queue.add(other)
        for other in others:
            await reached(queue, other, JobState.DONE)
        assert await queue.state(crowded) is JobState.RUNNING
        has_turn.set()
        await reached(queue, crowded, JobState.DONE)
        await worker.stop(0)
        await run
    assert provider.most == 1


async def test_without_a_limit_fetches_in_a_row_look_once_for_a_pause(redis_url: str) -> None:
    """A worker takes a slot with each fetch. Its own pause counts at once."""
    async with slots(redis_url, 0) as one:
        looks, look = 0, one._take

        async def counted(**given: Any) -> Any:
            nonlocal looks
            looks += 1
            return await look(**given)

        one._take = counted
        assert all([await one.take(never) for _ in range(20)])
        assert looks < 5
        await one.pause(0.5)
        assert not await is_free(one)
        assert await one.take(never)


async def test_a_job_that_ended_too_many_workers_keeps_no_slot(
    queue: BullJobQueue, queue_server: Any
) -> None:
    """BullMQ fails such a job without running it."""
    provider, given_up, next_one = Provider(), generation("T1.U1.1"), generation("T1.U1.2")
    await queue.add(given_up)
    key = f"{PREFIX}:{GENERATE_QUEUE}:{given_up.id}"
    await queue._redis.hset(key, "defa", "job stalled more than allowable limit")
    url, slot_lease = queue_server.connection_url, 2 * PATIENCE
    async with workers(url, provider, number=1, count=1, slot_lease=slot_lease):
        await reached(queue, given_up, JobState.FAILED)
        await queue.add(next_one)
        await reached(queue, next_one, JobState.DONE)
    assert provider.jobs == [next_one.id]
    assert await queue._redis.keys("{imagine}:provider*") == []


@pytest.mark.parametrize("moment", ["asked", "answered"])
async def test_a_slot_whose_taker_is_cancelled_meanwhile_is_free_again(
    redis_url: str, moment: str
) -> None:
    """The server may have given it, and nobody has it."""
    async with slots(redis_url, 1) as one, slots(redis_url, 1) as other:
        take, reached_it = one._take, asyncio.Event()

        async def hanging(**arguments: Any) -> Any:
            if moment == "answered":
                await take(**arguments)
            reached_it.set()
            await asyncio.sleep(PATIENCE)

        one._take = hanging
        taking = asyncio.create_task(one.take(never))
        await reached_it.wait()
        await cancel_and_wait(taking)
        await one.renew()
        assert await is_free(other)


async def test_a_slot_whose_answer_came_too_late_is_free_again(redis_url: str) -> None:
    async with slots(redis_url, 1) as one, slots(redis_url, 1) as other:
        take, looks = one._take, iter([False, True])

        async def late(**arguments: Any) -> Any:
            await take(**arguments)
            raise TimeoutError

        one._take = late
        assert await one.take(lambda: next(looks)) is None
        await one.renew()
        assert await is_free(other)


async def test_after_its_end_a_process_has_no_slot(redis_url: str) -> None:
    """Neither one that it still had, nor one that a renewal took again as the process ended."""
    async with slots(redis_url, 2) as one, slots(redis_url, 2) as other:
        given_back, kept = await one.take(never), await one.take(never)
        assert given_back
        assert kept
        renew, renewed = one._renew, asyncio.Event()

        async def late(**arguments: Any) -> Any:
            await one.give_back(given_back)
            await renew(**arguments)
            renewed.set()
            await asyncio.sleep(PATIENCE)

        one._renew = late
        renewing = asyncio.create_task(one.renew())
        await renewed.wait()
        await cancel_and_wait(renewing)
        await one.close()
        assert await other._redis.keys("{imagine}:provider*") == []
