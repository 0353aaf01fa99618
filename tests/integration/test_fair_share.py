"""The order of the images of several people, in a real Valkey."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from bot.adapters.queue.fair_share import FairShare, NotReleased, Released
from bot.domain.jobs import Job, JobKind

PREFIX = "{imagine}"
PARKED = NotReleased.PARKED


def image(owner: str, idea: int, candidate: int = 1) -> Job:
    return Job(JobKind.GENERATE, f"T1.{owner}.s{idea}", 1, candidate=candidate)


@asynccontextmanager
async def share(url: str, at_once: int = 0) -> AsyncIterator[FairShare]:
    async with Redis.from_url(url, decode_responses=True) as redis:
        yield FairShare(redis, PREFIX, "q", at_once)


async def admitted(share: FairShare, *jobs: Job) -> list[int | NotReleased]:
    """The priority of each that is released."""
    answers = [await share.admit(job, f'"{job.id}"') for job in jobs]
    return [each.priority if isinstance(each, Released) else each for each in answers]


async def test_who_comes_later_stands_before_the_next_of_who_asked_for_many(redis_url: str) -> None:
    async with share(redis_url) as fair:
        many = [image("GREEDY", n) for n in range(60)]
        assert await admitted(fair, *many) == list(range(1, 241, 4))
        for job in many[:5]:
            await fair.began(job.id)
        assert await admitted(fair, image("OTHER", 1), image("OTHER", 2)) == [18, 22]
        assert await admitted(fair, image("THIRD", 1)) == [18]
        (sixth,) = await admitted(fair, many[5])
        assert sixth == 21


async def test_the_images_of_an_attempt_stand_together_and_count_each(redis_url: str) -> None:
    async with share(redis_url) as fair:
        four = [image("U1", 1, n) for n in range(1, 5)]
        assert await admitted(fair, *four, image("U1", 2)) == [1, 1, 1, 1, 17]
        assert await admitted(fair, image("U2", 1)) == [1]


async def test_the_images_of_who_asks_for_more_than_a_share_stand_apart(redis_url: str) -> None:
    """So all four of somebody else's next attempt come before what is left of theirs."""
    async with share(redis_url) as fair:
        first, second = ([image("U1", idea, n) for n in range(1, 5)] for idea in (1, 2))
        assert await admitted(fair, *first, *second) == [1, 1, 1, 1, 17, 21, 25, 29]
        for job in [*first, second[0]]:
            await fair.began(job.id)
        assert await admitted(fair, *(image("U2", 1, n) for n in range(1, 5))) == [18] * 4


async def test_newcomers_do_not_keep_the_next_of_who_asked_for_many_waiting(redis_url: str) -> None:
    async with share(redis_url) as fair:
        many = [image("GREEDY", n) for n in range(2)]
        await admitted(fair, *many)
        await fair.began(many[0].id)
        passed = 0
        for n in range(20):
            newcomer = image(f"U{n}", 1)
            (priority,) = await admitted(fair, newcomer)
            assert isinstance(priority, int)
            passed += priority < 5
            await fair.began(newcomer.id)
            await fair.ended(newcomer.id)
        assert passed == 3


async def test_a_job_that_is_admitted_twice_keeps_its_place(redis_url: str) -> None:
    async with share(redis_url, at_once=1) as fair:
        first, second = image("U1", 1), image("U1", 2)
        assert await admitted(fair, first, second, first, second) == [1, PARKED, 1, PARKED]
        assert [r.job_id for r in await fair.ended(first.id)] == [second.id]
        assert await fair.ended(first.id) == []
        assert await admitted(fair, second) == [5]


async def test_the_end_of_a_job_releases_the_next_of_its_owner(redis_url: str) -> None:
    async with share(redis_url, at_once=2) as fair:
        jobs = [image("U1", n) for n in range(5)]
        assert await admitted(fair, *jobs) == [1, 5, PARKED, PARKED, PARKED]
        assert await admitted(fair, image("U2", 1)) == [1]
        await fair.began(jobs[0].id)
        (released,) = await fair.ended(jobs[0].id)
        assert (released.job_id, released.priority) == (jobs[2].id, 9)
        assert released.data == f'"{jobs[2].id}"'
        assert await fair.ended(jobs[4].id) == []  # cancelled while it was parked
        assert [r.job_id for r in await fair.ended(jobs[1].id)] == [jobs[3].id]
        assert await fair.ended(jobs[2].id) == []


async def test_the_order_that_people_are_shown_is_the_real_one(redis_url: str) -> None:
    async with share(redis_url, at_once=2) as fair:
        mine = [image("U1", n) for n in range(4)]
        await admitted(fair, *mine)
        await admitted(fair, image("U2", 1))
        order = [(job.owner, bool(job.tag)) for job in await fair.jobs()]
    assert order == [
        ("T1.U1", True),
        ("T1.U2", True),
        ("T1.U1", True),
        ("T1.U1", False),
        ("T1.U1", False),
    ]


async def test_equals_stand_as_they_were_released_whatever_the_clocks_say(redis_url: str) -> None:
    """As BullMQ orders them. More than a hundred lie in Redis in no order."""
    async with share(redis_url, at_once=1) as fair:
        first, parked = image("MANY", 0), image("MANY", 1)
        await admitted(fair, first, parked)
        await fair.began(first.id)
        others = [image(f"U{n}", 1) for n in range(150)]
        for other in others[:2]:
            await fair._redis.hset("{imagine}:fair", "v", 4)
            assert await admitted(fair, other) == [5]
        assert [r.priority for r in await fair.ended(first.id)] == [5]
        assert await admitted(fair, *others[2:]) == [5] * 148
        order = [job.job_id for job in await fair.jobs()]
    expected = [*others[:2], parked, *others[2:]]
    assert order == [job.id for job in expected]


async def test_with_the_last_job_all_is_gone_and_tags_start_anew(redis_url: str) -> None:
    async with share(redis_url, at_once=1) as fair, Redis.from_url(redis_url) as redis:
        jobs = [image("U1", 1, n) for n in (1, 2)] + [image("U2", 1)]
        await admitted(fair, *jobs)
        for job in jobs:
            await fair.began(job.id)
            await fair.ended(job.id)
        assert await redis.keys("*") == []
        assert await admitted(fair, image("U3", 1)) == [1]


async def test_owners_who_have_nothing_left_leave_nothing_in_a_queue_that_is_never_empty(
    redis_url: str,
) -> None:
    async with share(redis_url) as fair, Redis.from_url(redis_url) as redis:
        await admitted(fair, image("STAYS", 0))
        for n in range(50):
            job = image(f"U{n}", 1)
            await admitted(fair, job)
            await fair.began(job.id)
            await fair.ended(job.id)
        assert await redis.hlen("{imagine}:fair") <= 3
        assert await redis.hlen("{imagine}:fair:attempts") == 1
        assert await redis.hlen("{imagine}:fair:released") == 1


async def test_priorities_never_reach_what_bullmq_cannot_order(redis_url: str) -> None:
    async with share(redis_url) as fair, Redis.from_url(redis_url) as redis:
        first = image("U1", 0)
        await admitted(fair, first)
        await redis.hset("{imagine}:fair", mapping={"v": 2**20 + 5, "last:T1.U1": 2**20 + 5})
        high, low = image("U1", 1), image("U2", 1)
        priority, other = await admitted(fair, high, low)
        assert (priority, other) == (2**20 + 9, 2**20 + 6)
        assert {job.tag - job.priority for job in await fair.jobs()} == {0}
        await fair.rescale()
        priorities = {job.job_id: job.priority for job in await fair.jobs()}
        assert priorities == {first.id: 1, high.id: 4, low.id: 1}
        assert await admitted(fair, image("U1", 2), high) == [8, 4]


async def test_a_job_whose_id_bullmq_keeps_is_not_admitted_again(redis_url: str) -> None:
    async with share(redis_url) as fair, Redis.from_url(redis_url) as redis:
        job = image("U1", 1)
        await redis.hset(f"{PREFIX}:q:{job.id}", "data", "{}")
        assert await admitted(fair, job) == [NotReleased.ENDED]
        assert await fair.jobs() == []
