"""The flow as a whole: its wiring, and how a repeated run goes on from what is recorded."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import re
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from pocketflow import AsyncNode

import bot.flow
from bot.domain import transitions
from bot.domain.attempt import Attempt, Candidate, ImageRef, Source
from bot.domain.errors import SlackRefused, SlackUnavailable, StoreUnavailable
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.jobs import due_jobs
from bot.domain.refusals import Refusal
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.flow import ReviewFlow, Shared, draft, endings, generate, shared_store
from bot.generation.image_copies import ImageCopies
from bot.generation.image_requests import ImageRequests
from bot.generation.recording import RunCheckpoint
from bot.telemetry.meters import GenerationMeter
from tests.fakes import (
    ID,
    IMAGE,
    PROMPT,
    FakeFiles,
    FakeHeartbeats,
    FakeImageBackend,
    FakePublisher,
    FakeSessionStore,
    FakeSlackAccess,
    a_picture_loader,
    an_attempt,
    eventually,
    generating,
)

DECLINED = GenerationError(FailureKind.DECLINED, said="no")
KEYS = {
    "task_input",
    "stage",
    "error_message",
    "input_used_by_process",
    "generated_image",
    "final_result",
}
NODES: list[Any] = [
    node
    for module in (generate, draft, endings)
    for _, node in inspect.getmembers(module, inspect.isclass)
    if issubclass(node, AsyncNode) and node.__module__ == module.__name__
]


def review_flow(
    store: FakeSessionStore, backend: FakeImageBackend, publisher: FakePublisher
) -> ReviewFlow:
    heartbeats = FakeHeartbeats()
    requests = ImageRequests(store, FakeFiles(), a_picture_loader(FakeFiles(), heartbeats))
    return ReviewFlow(
        store,
        backend,
        publisher,
        requests,
        lambda _: None,
        partial(RunCheckpoint, store, heartbeats, FakeSlackAccess(), lambda *_: None),
        GenerationMeter("responses"),
        ImageCopies(store, FakeFiles()),
    )


def of(images: int = 1, delivery_candidate: int = 0, message_ts: str = "", **facts: Any) -> Session:
    """A session that generates so many candidates; these facts are recorded of the first."""
    attempt = an_attempt(
        images=images, delivery_candidate=delivery_candidate, message_ts=message_ts
    )
    candidate = replace(attempt.candidate(1), **facts)
    return with_attempt(generating(), attempt.with_candidate(candidate))


class Flow:
    """A review flow with its surroundings."""

    def __init__(self, session: Session, *outcomes: object) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()
        self.backend = FakeImageBackend(*outcomes)  # type: ignore[arg-type]
        self.flow = review_flow(self.store, self.backend, self.publisher)

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]

    async def cancel(self) -> None:
        with contextlib.suppress(Refusal):  # twice is once
            await self.store.update(
                ID, lambda s: transitions.cancel(s, s.latest.number, "w", 130.0)
            )

    async def run(self, candidate: int = 1, *, repeated: bool = False) -> Shared:
        shared = shared_store(self.session, candidate, repeated=repeated)
        await self.flow.run(shared)
        return shared

    async def give_up(self, candidate: int) -> None:
        shared = shared_store(self.session, candidate, repeated=True)
        await self.flow.run(shared, give_up=True)

    async def each(self, *, repeated: bool = False) -> None:
        """The job of every candidate, side by side; what ends one does not end the others."""
        numbers = [c.number for c in self.session.latest.candidates]
        runs = [self.run(number, repeated=repeated) for number in numbers]
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert all(isinstance(end, dict | StoreUnavailable | SlackUnavailable) for end in ended), (
            ended
        )

    async def each_again(self) -> None:
        """What the queue runs again: whatever has not come to its end."""
        while self.session.stage is Stage.GENERATING:
            for job in due_jobs(self.session):
                await self.run(job.candidate, repeated=True)


async def test_from_a_prompt_to_a_draft() -> None:
    flow = Flow(generating())
    shared = shared_store(flow.session, 1, repeated=False)
    assert await flow.flow.run(shared) is Stage.USER_FEEDBACK
    assert flow.publisher.names() == ["upload", "post_draft"]
    assert flow.session.stage is Stage.USER_FEEDBACK
    assert shared["stage"] == "user_feedback"
    attempt = flow.session.latest
    assert (attempt.candidate(1).file_id, attempt.message_ts) == ("upload:1", "post_draft:1")
    assert len(flow.backend.requests) == 1


async def test_the_draft_is_posted_of_the_session_with_its_file() -> None:
    flow = Flow(generating())
    await flow.run()
    assert flow.publisher.of("post_draft")[0].session.latest.candidate(1).file_id == "upload:1"


async def test_the_shared_store_has_the_contracts_keys_and_plain_data_alone() -> None:
    shared = await Flow(generating()).run()
    assert shared.keys() >= KEYS
    assert all(isinstance(value, str | int | dict | None) for value in shared.values())


async def test_a_failed_attempt_is_reported_and_the_earlier_draft_restored() -> None:
    flow = Flow(generating(2), DECLINED)
    await flow.run()
    assert flow.publisher.names() == ["post_failure", "refresh_draft"]
    assert flow.session.stage is Stage.USER_FEEDBACK
    assert flow.publisher.of("refresh_draft")[0].session.stage is Stage.USER_FEEDBACK
    assert "no" in flow.session.error_message


@pytest.mark.parametrize("call", ["upload", "post_draft"])
async def test_what_slack_does_not_take_is_reported(call: str) -> None:
    flow = Flow(generating())
    flow.publisher.failures[call] = [SlackRefused("chat.postMessage", "restricted_action")]
    await flow.run()
    assert flow.publisher.names()[-1] == "post_failure"
    assert flow.session.latest.failure is FailureKind.CHANNEL_CLOSED


@pytest.mark.parametrize(
    ("session", "asked", "shown"),
    [
        (generating(), 1, ["upload", "post_draft"]),
        (of(response_id="resp_1"), 1, ["upload", "post_draft"]),
        (of(1, 1, width=9, height=9), 0, ["upload", "post_draft"]),
        (of(1, 1, width=9, height=9, file_id="F1"), 0, ["post_draft"]),
        (of(1, 1, width=9, height=9, file_id="F1", message_ts="7.7"), 0, []),
    ],
    ids=["nothing", "response", "image", "file", "message"],
)
async def test_a_repeated_run_goes_on_from_the_last_thing_recorded(
    session: Session, asked: int, shown: list[str]
) -> None:
    flow = Flow(session)
    flow.store.images[ID, ImageRef(1)] = "a2VwdA=="
    await flow.run(repeated=True)
    assert len(flow.backend.requests) == asked
    assert flow.publisher.names() == shown
    assert all(s.details["repeated"] for s in flow.publisher.of("post_draft"))
    assert flow.session.stage is Stage.USER_FEEDBACK


@pytest.mark.parametrize("writes", range(8))
async def test_a_run_that_died_after_any_write_is_brought_to_the_same_end(writes: int) -> None:
    flow = Flow(generating())
    flow.store.writes_until_away = writes
    flow.backend.tells = "resp_1"
    try:
        await flow.run()
    except StoreUnavailable:
        assert writes < 7
    flow.store.writes_until_away = None
    await flow.run(repeated=True)
    assert flow.session.stage is Stage.USER_FEEDBACK
    assert flow.session.latest.candidate(1).has_image
    paid = [request for request in flow.backend.requests if not request.response_id]
    assert len(paid) <= 1 + (writes < 3)  # once more only where nothing could be recorded


@pytest.mark.parametrize("writes", range(17))
async def test_three_candidates_survive_a_death_after_any_write(writes: int) -> None:
    flow = Flow(of(3))
    flow.store.writes_until_away = writes
    await flow.each()
    flow.store.writes_until_away = None
    recorded = [c.number for c in flow.session.latest.candidates if c.has_image]
    flow.backend.requests.clear()
    await flow.each_again()
    assert sorted(request.candidate for request in flow.backend.requests) == [
        number for number in (1, 2, 3) if number not in recorded
    ]
    assert flow.session.stage is Stage.USER_FEEDBACK
    assert len(flow.session.latest.images) == 3
    assert len(flow.publisher.of("post_draft")) <= 2


async def test_images_that_expired_while_slack_was_away_are_made_again_and_all_delivered() -> None:
    flow = Flow(of(3))
    flow.publisher.failures["upload"] = [SlackUnavailable("away")] * 3
    await flow.each()
    flow.store.images.clear()
    flow.backend.requests.clear()
    await flow.each_again()
    assert flow.session.stage is Stage.USER_FEEDBACK
    assert len(flow.session.latest.images) == 3
    assert sorted(request.candidate for request in flow.backend.requests) == [1, 2, 3]
    assert len(flow.publisher.of("post_draft")) == 1


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_the_others_go_on_while_one_candidate_has_lost_its_worker(lost: int) -> None:
    flow = Flow(of(3))
    flow.backend.gates[lost] = asyncio.Event()
    running = {n: asyncio.create_task(flow.run(n)) for n in (1, 2, 3)}
    await eventually(lambda: len(flow.backend.requests) == 3)
    made = [n for n in (1, 2, 3) if n != lost]
    await asyncio.gather(*(running[n] for n in made))
    running[lost].cancel()
    await asyncio.wait({running[lost]})
    assert flow.publisher.shown == []
    assert [job.candidate for job in due_jobs(flow.session)] == [lost]
    flow.backend.gates[lost].set()
    await flow.each_again()
    assert flow.session.stage is Stage.USER_FEEDBACK
    assert flow.session.latest.delivery_candidate == lost
    assert [request.candidate for request in flow.backend.requests[3:]] == [lost]


async def test_three_candidates_come_as_one_draft() -> None:
    flow = Flow(of(3), IMAGE, DECLINED, IMAGE)
    await flow.each()
    assert flow.publisher.names() == ["upload", "upload", "post_draft"]
    shown = flow.publisher.of("post_draft")[0].session.latest
    assert [c.file_id for c in shown.candidates] == ["upload:1", "", "upload:1.3"]
    assert flow.session.stage is Stage.USER_FEEDBACK


@pytest.mark.parametrize("kind", [FailureKind.SOURCE_GONE, FailureKind.SOURCE_UNREADABLE])
async def test_a_picture_that_cannot_be_had_is_told_in_the_thread(kind: FailureKind) -> None:
    attempt = Attempt(1, PROMPT, change=PROMPT, base=ImageRef(0), candidates=(Candidate(1),))
    flow = Flow(with_attempt(generating(source=Source("F9")), attempt))
    await flow.run()
    assert flow.backend.requests == []
    assert flow.publisher.names() == ["post_failure"]
    assert flow.session.latest.failure is FailureKind.SOURCE_GONE


@pytest.mark.parametrize("step", ["generating", "upload", "post_draft", "post_failure"])
async def test_a_cancelled_attempt_leaves_nothing_in_the_thread(step: str) -> None:
    """Whenever it comes: what is posted in that moment is taken away again."""
    flow = Flow(of(2), *([DECLINED] if step == "post_failure" else []))
    flow.backend.gate = asyncio.Event()
    show = flow.publisher._show

    async def cancelled_meanwhile(what: str, session: Session, **details: Any) -> str:
        if what == step and flow.session.stage is Stage.GENERATING:
            await flow.cancel()
        return await show(what, session, **details)

    flow.publisher._show = cancelled_meanwhile  # type: ignore[method-assign]
    running = asyncio.create_task(flow.each())
    await eventually(lambda: len(flow.backend.requests) == 2)
    if step == "generating":
        await flow.cancel()
    flow.backend.gate.set()
    await running
    assert flow.session.latest.cancelled
    assert flow.session.stage is Stage.INITIAL_INPUT
    names = flow.publisher.names()
    assert names.count("post_draft") == names.count("remove_draft") == (step == "post_draft")


@pytest.mark.parametrize("candidate", [0, 1])
async def test_giving_up_reports_without_asking_again(candidate: int) -> None:
    flow = Flow(generating(2))
    await flow.give_up(candidate)
    assert flow.backend.requests == []
    assert flow.publisher.names() == ["post_failure", "refresh_draft"]
    assert flow.publisher.of("post_failure")[0].details["repeated"] is True
    assert flow.session.latest.failure is FailureKind.INTERNAL


async def test_giving_one_candidate_up_leaves_the_others_alone() -> None:
    flow = Flow(of(2))
    await flow.give_up(2)
    assert flow.publisher.shown == []
    await flow.run(1)
    assert flow.publisher.names() == ["upload", "post_draft"]
    assert [c.failure for c in flow.session.latest.candidates] == [None, FailureKind.INTERNAL]


async def test_giving_the_last_candidate_up_delivers_what_the_others_brought() -> None:
    flow = Flow(of(2))
    await flow.run(1)
    await flow.give_up(2)
    assert flow.publisher.names() == ["upload", "post_draft"]
    assert flow.session.stage is Stage.USER_FEEDBACK
    assert flow.session.input_used_by_process == PROMPT


async def test_giving_the_delivery_up_reports_the_attempt_as_failed() -> None:
    flow = Flow(of(1, 1, width=9, height=9))
    await flow.give_up(1)
    assert flow.publisher.names() == ["post_failure"]
    assert flow.session.latest.failure is FailureKind.INTERNAL


async def test_one_flow_serves_several_sessions_at_once() -> None:
    first, second = generating(), replace(generating(), id="T1.U2.def456", user="U2")
    store, publisher = FakeSessionStore(first, second), FakePublisher()
    flow = review_flow(store, FakeImageBackend(IMAGE), publisher)
    await asyncio.gather(*(flow.run(shared_store(s, 1, repeated=False)) for s in (first, second)))
    assert {s.stage for s in store.sessions.values()} == {Stage.USER_FEEDBACK}
    assert sorted(s.session.user for s in publisher.of("post_draft")) == ["U1", "U2"]


def test_there_are_nodes_to_look_at() -> None:
    names = {node.__name__ for node in NODES}
    assert names == {
        "GenerateImage",
        "UploadImages",
        "PostDraft",
        "OpenReview",
        "End",
        "GiveUp",
        "RemoveDraft",
        "ReportFailure",
        "RestoreDraft",
    }


async def test_exec_never_gets_the_shared_store(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    for node in NODES:
        executed: Any = node.exec_async

        async def spying(node: object, prepared: object, executed: Any = executed) -> Any:
            given.append(prepared)
            return await executed(node, prepared)

        monkeypatch.setattr(node, "exec_async", spying)
    await Flow(generating(2), DECLINED).run()
    await Flow(of(3)).each()
    assert len(given) == 14
    assert not any(isinstance(prepared, dict) for prepared in given)


def test_the_picture_of_the_flow_is_its_wiring() -> None:
    flow = review_flow(FakeSessionStore(), FakeImageBackend(), FakePublisher())
    wired, seen = set(), [flow.generate, flow.give_up]
    for node in seen:
        for action, successor in node.successors.items():
            wired.add((type(node).__name__, action, type(successor).__name__))
            if successor not in seen:
                seen.append(successor)
    drawn: set[tuple[str, str, str]] = set()
    for line in (bot.flow.__doc__ or "").splitlines():
        pieces = re.split(r" -- (\w+) --> ", line.strip())
        for sources, action, target in zip(pieces[::2], pieces[1::2], pieces[2::2], strict=False):
            drawn |= {(source, action, target) for source in sources.split(", ")}
    assert wired == drawn
