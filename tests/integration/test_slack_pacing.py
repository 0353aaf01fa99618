"""How the publisher and its client keep to Slack's limits, in front of a simulated Slack that has
them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.redis import RedisRateLimiter, redis_client
from bot.adapters.slack import (
    SlackPacing,
    SlackPublisher,
    file_readiness,
    slack_client,
    slack_session,
)
from bot.adapters.slack.pacing import calling
from bot.domain.errors import NoLongerOwed, SlackBusy
from bot.domain.session import Session
from bot.ports import Priority
from bot.sandbox import PATIENCE, Fault, SimulatedSlack
from bot.sandbox.workspace.files import File
from bot.work_slots import WorkSlots
from tests.fakes import generating
from tests.support.published import in_thread, place, posted, reviewed, with_file

PER_SECOND = 10.0


@asynccontextmanager
async def paced(
    slack: SimulatedSlack, redis_url: str, per_second: float = PER_SECOND, **options: Any
) -> AsyncIterator[SlackPublisher]:
    redis = redis_client(redis_url, 5.0)
    pacing = SlackPacing(RedisRateLimiter(redis, "T1", 5.0), per_second)
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        client.pacing = pacing
        yield SlackPublisher(client, http, pacing=pacing, **options)
    await redis.aclose()


def unposted(slack: SimulatedSlack, channel: str = "general") -> Session:
    return place(slack, replace(generating(), root_ts="", thread_ts=""), channel)


async def test_several_processes_are_never_refused_in_one_channel(
    slack: SimulatedSlack, redis_url: str
) -> None:
    slack.rate_limit("chat.postMessage", 4.0)
    async with paced(slack, redis_url, 4.0) as one, paced(slack, redis_url, 4.0) as other:
        await asyncio.gather(
            *(p.post_root(unposted(slack), 0, repeated=False) for p in (one, other, one))
        )
    assert [call.status for call in slack.calls_of("chat.postMessage")] == [200] * 3


async def test_a_person_who_starts_many_lets_others_pass(
    slack: SimulatedSlack, redis_url: str
) -> None:
    """The first goes at once; the others wait from then on."""
    ids = [f"T1.UGREEDY.{n}" for n in range(4)] + ["T1.UOTHER.1"]
    shown = list[str]()
    async with paced(slack, redis_url, 4.0) as publisher:

        async def start(session_id: str) -> None:
            session = replace(unposted(slack), id=session_id)
            await publisher.post_root(session, 0, repeated=False)
            shown.append(session_id)

        starting = []
        for session_id in ids:
            starting.append(asyncio.create_task(start(session_id)))
            await asyncio.sleep(0.03)
        await asyncio.gather(*starting)
    assert shown.index("T1.UOTHER.1") <= 1, shown


async def test_a_429_holds_everybody_and_nobody_looks(
    slack: SimulatedSlack, redis_url: str
) -> None:
    slack.faults.add("chat.postMessage", Fault.rate_limited(1))
    async with paced(slack, redis_url) as one, paced(slack, redis_url) as other:
        before = time.monotonic()
        first = asyncio.create_task(one.post_root(unposted(slack), 0, repeated=False))
        await slack.wait_for(lambda: [c for c in slack.calls if c.status == 429], what="a 429")
        await asyncio.gather(
            first, *(other.post_root(unposted(slack), 0, repeated=False) for _ in range(4))
        )
        assert time.monotonic() - before >= 1.0
    assert [call.method for call in slack.calls] == ["chat.postMessage"] * 6


async def test_an_upload_that_slack_has_no_time_for_lends_its_slot(
    slack: SimulatedSlack, redis_url: str
) -> None:
    slots = WorkSlots(1, 1)
    assert await slots.take(lambda: False)
    slack.faults.add("upload", Fault.rate_limited(2))
    async with paced(slack, redis_url) as publisher:
        with slots.lending():
            uploading = asyncio.create_task(with_file(slack, publisher))
            assert await asyncio.wait_for(slots.take(lambda: False), PATIENCE)
            assert not uploading.done()
            await uploading


async def test_what_nobody_needs_after_a_long_wait_is_not_posted(
    slack: SimulatedSlack, redis_url: str
) -> None:
    async def owed() -> bool:
        return False

    async with paced(slack, redis_url, job_lease=0.3) as publisher:
        await publisher._client.pacing.hold(  # type: ignore[attr-defined]
            "chat.postMessage", {"channel": slack.channel("general").id}, 0.5
        )
        with pytest.raises(NoLongerOwed):
            await publisher.post_root(unposted(slack), 0, repeated=False, still_owed=owed)
    assert not slack.calls


async def test_what_another_run_posts_while_one_waits_for_its_turn_is_not_posted_again(
    slack: SimulatedSlack, redis_url: str
) -> None:
    """Both runs are alive: Redis lost a lease, and the job was begun again. The first has its turn
    after the second has looked whether the message is there, and before the second's own turn."""
    shown = list[str]()

    async def owed() -> bool:
        return not shown

    async with paced(slack, redis_url, 1.0) as publisher:
        pacing = publisher._client.pacing  # type: ignore[attr-defined]
        session = await in_thread(slack, publisher, generating())
        await pacing.hold("chat.postMessage", {"channel": session.channel}, 1.5)
        failing = publisher.post_failure(
            session, 1, "no image", try_again=True, repeated=True, still_owed=owed
        )
        waiting = asyncio.create_task(failing)
        await asyncio.sleep(1.0)
        assert not waiting.done()
        shown.append("by another run")
        with pytest.raises(NoLongerOwed):
            await waiting
    assert slack.messages("general", session.thread_ts) == []


async def test_an_edit_leaves_half_of_a_burst_to_others_and_the_last_one_waits(
    slack: SimulatedSlack, redis_url: str
) -> None:
    async with paced(slack, redis_url, 1.0) as publisher:
        session = await in_thread(slack, publisher, generating())
        shown = 0
        with suppress(SlackBusy):
            for _ in range(50):
                await publisher.show_status(session, None)
                shown += 1
        assert 24 <= shown <= 27
        await asyncio.wait_for(publisher.status_turn(Priority.EDIT, 5.0), 1.0)
        await publisher.show_status(session, None, has_turn=True)
        with calling(Priority.ANSWER):
            await publisher._client.chat_update(
                channel=session.channel, ts=session.root_ts, text="an answer", blocks=[]
            )


async def test_a_form_opens_however_busy_slack_is(slack: SimulatedSlack, redis_url: str) -> None:
    async with paced(slack, redis_url) as publisher:
        pacing = publisher._client.pacing  # type: ignore[attr-defined]
        await pacing.hold("views.open", {}, 60.0)
        await asyncio.wait_for(pacing.before("views.open", {}), 1.0)


@pytest.mark.parametrize("ready_after", [0.0, 0.3, 1.2])
async def test_a_draft_is_there_soon_after_its_file_is_ready_with_one_post(
    slack: SimulatedSlack, redis_url: str, ready_after: float
) -> None:
    drafts, late = 3, list[float]()
    slack.workspace.files.ready_after = ready_after
    async with paced(slack, redis_url, 1000.0, may_read_files=True) as publisher:
        for _ in range(drafts):
            session = await reviewed(slack, publisher)
            file = slack.workspace.files.get(session.latest.candidate(1).file_id)
            assert file is not None
            assert file.ready_at is not None
            late.append(float(session.latest.message_ts) - file.ready_at)
    assert sorted(late)[1] < 0.5, "of three, where one may have had to wait for the machine"
    posts = [c for c in slack.calls_of("chat.postMessage") if c.args.get("thread_ts")]
    assert len(posts) <= 1.3 * drafts


async def tries_of_each_draft(
    slack: SimulatedSlack, publisher: SlackPublisher, drafts: int = 4
) -> list[int]:
    tries = []
    for _ in range(drafts):
        session = await with_file(slack, publisher)
        before = len(slack.calls_of("chat.postMessage"))
        await posted(publisher, session)
        tries.append(len(slack.calls_of("chat.postMessage")) - before)
    return tries


async def test_where_files_may_not_be_read_the_usual_time_is_learned_from_refusals(
    slack: SimulatedSlack, redis_url: str
) -> None:
    slack.workspace.files.ready_after = 1.0
    async with paced(slack, redis_url, 1000.0) as publisher:
        first, *others = await tries_of_each_draft(slack, publisher)
    assert not slack.calls_of("files.info")
    assert first > 1
    assert sum(others) <= len(others) + 2


@pytest.mark.parametrize(
    "fault", [Fault.rate_limited(30), Fault.http(500), Fault(error="unknown_method"), Fault.hang()]
)
async def test_where_slack_does_not_say_when_a_file_is_ready_few_posts_are_tried(
    slack: SimulatedSlack,
    redis_url: str,
    fault: Fault,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(file_readiness, "_ANSWER_WITHIN", 0.1)
    slack.faults.add("files.info", fault, times=100)
    slack.workspace.files.ready_after = 1.0
    async with paced(slack, redis_url, 1000.0, may_read_files=True) as publisher:
        _, *others = await tries_of_each_draft(slack, publisher)
    assert sum(others) <= len(others) + 2


async def test_a_slack_that_tells_too_early_that_files_are_ready_is_not_asked_any_more(
    slack: SimulatedSlack, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = slack.workspace.files.begin

    def begin_with_type(*args: Any) -> File:
        file = begin(*args)
        file.told = {"mimetype": "image/png"}
        return file

    monkeypatch.setattr(slack.workspace.files, "begin", begin_with_type)
    slack.workspace.files.ready_after = 1.0
    async with paced(slack, redis_url, 1000.0, may_read_files=True) as publisher:
        first, *others = await tries_of_each_draft(slack, publisher)
        asked = len(slack.calls_of("files.info"))
        await tries_of_each_draft(slack, publisher, 1)
    assert first > 1
    assert sum(others) <= len(others) + 2
    assert len(slack.calls_of("files.info")) == asked


@pytest.mark.parametrize("ready_after", [0.0, 1.0])
async def test_a_slack_that_never_tells_that_files_are_ready_is_not_asked_any_more(
    slack: SimulatedSlack, redis_url: str, monkeypatch: pytest.MonkeyPatch, ready_after: float
) -> None:
    monkeypatch.setattr(file_readiness, "_DOUBTED_AFTER", 0.5)
    slack.faults.add("files.info", Fault.answer('{"ok": true, "file": {"id": "F1"}}'), times=100)
    slack.workspace.files.ready_after = ready_after
    async with paced(slack, redis_url, 1000.0, may_read_files=True) as publisher:
        began = time.monotonic()
        first, *others = await tries_of_each_draft(slack, publisher)
        assert time.monotonic() - began < 15.0
        asked = len(slack.calls_of("files.info"))
        await tries_of_each_draft(slack, publisher, 1)
    assert first <= 3
    assert sum(others) <= len(others) + 2
    assert len(slack.calls_of("files.info")) == asked


async def test_the_first_refusal_of_quick_files_makes_slack_asked(
    slack: SimulatedSlack, redis_url: str
) -> None:
    async with paced(slack, redis_url, 1000.0, may_read_files=True) as publisher:
        await tries_of_each_draft(slack, publisher)
        slack.workspace.files.ready_after = 0.6
        first, *others = await tries_of_each_draft(slack, publisher)
    assert first <= 2
    assert others == [1, 1, 1]
