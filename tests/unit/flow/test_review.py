"""The flow as a whole: its wiring, and how a repeated run goes on from what is recorded."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from typing import Any

import pytest
from pocketflow import AsyncNode

from bot.domain.errors import FailureKind, GenerationError, SlackRefused, StoreUnavailable
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.flow import ReviewFlow, generate, publish
from tests.fakes import (
    ID,
    IMAGE,
    FakeImageBackend,
    FakePublisher,
    FakeSessionStore,
    generating,
    with_latest,
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
    for module in (generate, publish)
    for _, node in inspect.getmembers(module, inspect.isclass)
    if issubclass(node, AsyncNode) and node.__module__ == module.__name__
]


class Flow:
    """A review flow with its surroundings."""

    def __init__(self, session: Session, *outcomes: object) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()
        self.backend = FakeImageBackend(*outcomes)  # type: ignore[arg-type]
        self.flow = ReviewFlow(self.store, self.backend, self.publisher, lambda _: None)

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]

    async def run(self, *, repeated: bool = False) -> dict[str, object]:
        return await self.flow.run(self.session, repeated=repeated)


async def test_from_a_prompt_to_a_draft() -> None:
    flow = Flow(generating())
    shared = await flow.run()
    assert flow.publisher.names() == ["upload", "post_draft"]
    assert flow.session.stage is Stage.USER_FEEDBACK
    assert shared["stage"] == "user_feedback"
    attempt = flow.session.latest
    assert (attempt.file_id, attempt.message_ts) == ("upload:1", "post_draft:1")
    assert len(flow.backend.requests) == 1


async def test_the_draft_is_posted_of_the_session_with_its_file() -> None:
    flow = Flow(generating())
    await flow.run()
    assert flow.publisher.of("post_draft")[0].session.latest.file_id == "upload:1"


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
    assert flow.session.latest.failure is FailureKind.NOT_DELIVERED


@pytest.mark.parametrize(
    ("session", "asked", "shown"),
    [
        (generating(), 1, ["upload", "post_draft"]),
        (with_latest(generating(), response_id="resp_1"), 1, ["upload", "post_draft"]),
        (with_latest(generating(), width=9, height=9), 0, ["upload", "post_draft"]),
        (with_latest(generating(), width=9, height=9, file_id="F1"), 0, ["post_draft"]),
        (with_latest(generating(), width=9, height=9, file_id="F1", message_ts="7.7"), 0, []),
    ],
    ids=["nothing", "response", "image", "file", "message"],
)
async def test_a_repeated_run_goes_on_from_the_last_thing_recorded(
    session: Session, asked: int, shown: list[str]
) -> None:
    flow = Flow(session)
    flow.store.images[ID, 1] = "a2VwdA=="
    await flow.run(repeated=True)
    assert len(flow.backend.requests) == asked
    assert flow.publisher.names() == shown
    assert all(s.details["repeated"] for s in flow.publisher.of("post_draft"))
    assert flow.session.stage is Stage.USER_FEEDBACK


@pytest.mark.parametrize("writes", range(5))
async def test_a_run_that_died_after_any_write_is_brought_to_the_same_end(writes: int) -> None:
    flow = Flow(generating())
    flow.store.writes_until_away = writes
    flow.backend.tells = "resp_1"
    try:
        await flow.run()
    except StoreUnavailable:
        assert writes < 5
    flow.store.writes_until_away = None
    await flow.run(repeated=True)
    assert flow.session.stage is Stage.USER_FEEDBACK
    assert flow.session.latest.has_image
    paid = [request for request in flow.backend.requests if not request.response_id]
    assert len(paid) <= 1 + (writes < 2)  # once more only where nothing could be recorded


async def test_giving_up_reports_without_asking_again() -> None:
    flow = Flow(generating(2))
    await flow.flow.give_up(flow.session, FailureKind.INTERNAL)
    assert flow.backend.requests == []
    assert flow.publisher.names() == ["post_failure", "refresh_draft"]
    assert flow.publisher.of("post_failure")[0].details["repeated"] is True
    assert flow.session.latest.failure is FailureKind.INTERNAL


async def test_one_flow_serves_several_sessions_at_once() -> None:
    first, second = generating(), replace(generating(), id="T1.U2.def456", user="U2")
    store, publisher = FakeSessionStore(first, second), FakePublisher()
    flow = ReviewFlow(store, FakeImageBackend(IMAGE), publisher, lambda _: None)
    await asyncio.gather(flow.run(first, repeated=False), flow.run(second, repeated=False))
    assert {s.stage for s in store.sessions.values()} == {Stage.USER_FEEDBACK}
    assert sorted(s.session.user for s in publisher.of("post_draft")) == ["U1", "U2"]


def test_there_are_nodes_to_look_at() -> None:
    names = {node.__name__ for node in NODES} - {"PublishingNode"}
    assert names == {
        "GenerateImage",
        "UploadImage",
        "PostDraft",
        "AwaitFeedback",
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
    await Flow(generating()).run()
    assert len(given) == 7
    assert not any(isinstance(prepared, dict) for prepared in given)
