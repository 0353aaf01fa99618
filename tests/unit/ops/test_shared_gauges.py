from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from bot.domain.errors import QueueUnavailable, StoreUnavailable
from bot.domain.stages import Stage
from bot.ops import shared_gauges
from bot.ops.shared_gauges import CENSUS_EVERY, SharedGauges
from bot.ops.spending import AGES, SpendingTotals
from bot.ports import MemoryUsage, QueueDepth
from bot.telemetry.metrics import REGISTRY
from tests.fakes import FakeTime

DEPTH = QueueDepth("generate", {"waiting": 3, "delayed": 1, "active": 2, "failed": 0}, 41.5)


class FakeRedis:
    """`away` and `gate` go for both readings."""

    def __init__(self) -> None:
        self.depth = DEPTH
        self.stages: dict[Stage, int] = {Stage.FINAL: 7}
        self.unsealed = 0.0
        self.away = False
        self.gate: asyncio.Event | None = None
        self.breaks_with: Exception | None = None
        self.reads = self.censuses = 0

    async def depths(self) -> list[QueueDepth]:
        self.reads += 1
        await self._reach(QueueUnavailable)
        return [self.depth]

    async def census(self) -> Mapping[Stage, int]:
        self.censuses += 1
        await self._reach(StoreUnavailable)
        return self.stages

    async def memory(self) -> MemoryUsage:
        await self._reach(StoreUnavailable)
        return MemoryUsage(60, 100)

    async def unsealed_since(self) -> float:
        await self._reach(StoreUnavailable)
        return self.unsealed

    async def money(self) -> SpendingTotals:
        await self._reach(StoreUnavailable)
        return SpendingTotals(12.5, 0.75, Counter(minute=3, older=1))

    async def _reach(self, error: Callable[[str], Exception]) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise error("fake")
        if self.breaks_with is not None:
            raise self.breaks_with


@pytest.fixture
def redis() -> FakeRedis:
    return FakeRedis()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def gauges(redis: FakeRedis, time: FakeTime) -> AsyncIterator[SharedGauges]:
    gauges = SharedGauges(
        redis.depths,
        redis.census,
        redis.memory,
        redis.unsealed_since,
        redis.money,
        time.monotonic,
        lambda: 900.0,
    )
    yield gauges
    await gauges.close()


def waiting() -> float | None:
    return REGISTRY.get_sample_value(
        "imagine_queue_jobs", {"queue": "generate", "state": "waiting"}
    )


def oldest() -> float | None:
    return REGISTRY.get_sample_value("imagine_queue_oldest_seconds", {"queue": "generate"})


def sessions(stage: Stage) -> float | None:
    return REGISTRY.get_sample_value("imagine_sessions", {"stage": stage.value})


async def test_a_scrape_tells_what_is_in_redis_now(gauges: SharedGauges, redis: FakeRedis) -> None:
    await gauges.refresh()
    assert (waiting(), oldest()) == (3, 41.5)
    redis.depth = QueueDepth("generate", {"waiting": 0}, 0.0)
    await gauges.refresh()
    assert (waiting(), oldest()) == (0, 0)


async def test_a_stage_without_sessions_is_told_as_none(gauges: SharedGauges) -> None:
    await gauges.refresh()
    assert sessions(Stage.FINAL) == 7
    assert sessions(Stage.GENERATING) == 0


async def test_sessions_are_counted_once_a_minute(
    gauges: SharedGauges, redis: FakeRedis, time: FakeTime
) -> None:
    for _ in range(5):
        await gauges.refresh()
    assert (redis.reads, redis.censuses) == (5, 1)
    time.now += CENSUS_EVERY
    redis.stages = {Stage.FINAL: 8}
    await gauges.refresh()
    assert (redis.censuses, sessions(Stage.FINAL)) == (2, 8)


async def test_while_redis_is_away_nothing_old_is_told(
    gauges: SharedGauges, redis: FakeRedis, time: FakeTime
) -> None:
    await gauges.refresh()
    redis.away = True
    time.now += CENSUS_EVERY
    await gauges.refresh()
    assert (waiting(), oldest(), sessions(Stage.FINAL)) == (None, None, None)
    redis.away = False
    await gauges.refresh()
    assert (waiting(), sessions(Stage.FINAL)) == (3, 7)


async def test_a_scrape_does_not_wait_for_a_frozen_redis(
    gauges: SharedGauges, redis: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_gauges, "SCRAPE_WITHIN", 0.05)
    await gauges.refresh()
    redis.gate = asyncio.Event()
    async with asyncio.timeout(5):
        await gauges.refresh()
        await gauges.refresh()
    assert (waiting(), oldest()) == (None, None)
    assert redis.reads == 2  # the second scrape joins the reading of the first
    redis.gate.set()
    await gauges.refresh()
    assert waiting() == 3


async def test_a_census_that_takes_long_is_told_at_a_later_scrape(
    gauges: SharedGauges, redis: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_gauges, "SCRAPE_WITHIN", 0.05)
    redis.gate = asyncio.Event()
    await gauges.refresh()
    assert sessions(Stage.FINAL) is None
    redis.gate.set()
    await gauges.refresh()
    assert sessions(Stage.FINAL) == 7
    assert redis.censuses == 1


async def test_an_error_of_any_kind_does_not_reach_the_scrape(
    gauges: SharedGauges, redis: FakeRedis, caplog: pytest.LogCaptureFixture
) -> None:
    redis.breaks_with = ValueError("a very private prompt")
    await gauges.refresh()
    assert (waiting(), sessions(Stage.FINAL)) == (None, None)
    assert "ValueError" in caplog.text
    assert "private" not in caplog.text


async def test_the_servers_memory_is_told_and_forgotten_while_it_is_not_known(
    gauges: SharedGauges, redis: FakeRedis
) -> None:
    def told(kind: str) -> float | None:
        return REGISTRY.get_sample_value("imagine_redis_memory_bytes", {"kind": kind})

    await gauges.refresh()
    assert (told("used"), told("max")) == (60, 100)
    redis.away = True
    await gauges.refresh()
    assert (told("used"), told("max")) == (None, None)


async def test_the_age_of_what_is_not_sealed_is_told_and_unknown_while_redis_is_away(
    gauges: SharedGauges, redis: FakeRedis, time: FakeTime
) -> None:
    def told() -> float | None:
        return REGISTRY.get_sample_value("imagine_record_unsealed_seconds")

    ages = []
    for redis.unsealed in (0.0, 200.0, 950.0):  # the last is of a clock that is ahead
        await gauges.refresh()
        ages.append(told())
        time.now += CENSUS_EVERY
    assert ages == [0.0, 700.0, 0.0]
    redis.away = True
    await gauges.refresh()
    assert str(told()) == "nan"


async def test_money_is_told_and_unknown_while_redis_is_away(
    gauges: SharedGauges, redis: FakeRedis, time: FakeTime
) -> None:
    def told() -> list[float | None]:
        names = ("imagine_spent_dollars", "imagine_budget_used_ratio")
        ages = [REGISTRY.get_sample_value("imagine_holds", {"age": age}) for age in AGES]
        return [*map(REGISTRY.get_sample_value, names), *ages]

    await gauges.refresh()
    assert told() == [12.5, 0.75, 3, 0, 1]
    redis.away = True
    time.now += CENSUS_EVERY
    await gauges.refresh()
    dollars, ratio, *holds = told()
    assert dollars != dollars
    assert ratio != ratio
    assert holds == [None, None, None]
