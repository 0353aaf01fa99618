"""Attempts begin in one place, from whatever a person asks for."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bot
from bot.domain.attempt import ImageRef, Source
from bot.domain.errors import StoreBroken, StoreUnavailable
from bot.domain.generation import draft_posted
from bot.domain.options import Options
from bot.domain.refusals import Reason
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.service import taking_back
from bot.service.gateway import AttemptGateway
from tests.fakes import (
    BOSS,
    ID,
    PROMPT,
    a_session,
    with_latest,
)
from tests.unit.service.services import ORIGIN, Setup, refused

FIRST = ImageRef(1)
SOURCE = Source("F9", "image/png", 2_000)
Check = Callable[[AttemptGateway], Awaitable[Session]]
ROOT = Path(bot.__file__).parent
BEGINS, GATEWAY = "domain/begin.py", "service/gateway.py"


def test_only_the_gateway_knows_the_steps_that_begin_an_attempt() -> None:
    assert {name for name, tree in modules("begin") if imports_begin(tree)} == {GATEWAY}


def test_only_these_steps_make_an_attempt() -> None:
    makers = {name for name, tree in modules("Attempt") if "Attempt" in set(calls(tree))}
    assert makers == {BEGINS}


def test_only_the_gateway_and_who_puts_it_together_take_the_whole_store() -> None:
    """Everybody else names the part that they need."""
    takers = {name for name, tree in modules("SessionStore") if imports_whole_store(tree)}
    assert takers == {GATEWAY, "service/services.py", "wiring/worker.py", "ports/__init__.py"}


def imports_whole_store(tree: ast.Module) -> bool:
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return any(name.name == "SessionStore" for node in imports for name in node.names)


def modules(word: str) -> Iterator[tuple[str, ast.Module]]:
    """Those in which the word stands."""
    for path in ROOT.rglob("*.py"):
        if word in (text := path.read_text()):
            yield path.relative_to(ROOT).as_posix(), ast.parse(text)


def imports_begin(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="bot.domain.begin"):
                return True
            case ast.ImportFrom(module="bot.domain", names=names):
                if any(name.name == "begin" for name in names):
                    return True
            case ast.Import(names=names):
                if any(name.name == "bot.domain.begin" for name in names):
                    return True
    return False


def calls(tree: ast.Module) -> Iterator[str]:
    """The names of what is called."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                yield name


@pytest.mark.parametrize(
    "may", [lambda g: g.check_can_refine(ID, FIRST, BOSS), lambda g: g.check_can_edit(ID, 1, BOSS)]
)
async def test_asking_whether_a_form_may_open_changes_nothing(may: Check) -> None:
    setup = Setup(a_session())
    assert await may(setup.gateway) == setup.session
    assert setup.store.written == []


async def test_a_form_that_refines_counts_once_even_after_its_attempt_has_ended() -> None:
    setup = Setup(a_session())
    await setup.gateway.refine(ID, FIRST, BOSS, "night --n 2", "V1")
    assert setup.session.latest.options.candidates == 2
    ended = draft_posted(
        with_latest(setup.session, candidates=a_session().latest.candidates), 2, "2.5", 1.0
    )
    setup.store.sessions[ID] = ended
    assert await setup.gateway.refine(ID, FIRST, BOSS, "night --n 2", "V1") == ended


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("  ", Reason.EMPTY_CHANGE),
        ("--n 2", Reason.EMPTY_CHANGE),
        ("x" * 32_001, Reason.PROMPT_TOO_LONG),
        ("night --n 9", Reason.BAD_OPTION),
    ],
)
async def test_a_change_that_will_not_do_changes_nothing(text: str, reason: Reason) -> None:
    setup = Setup(a_session())
    assert await refused(setup.gateway.refine(ID, FIRST, BOSS, text)) is reason
    assert setup.store.written == []


async def test_editing_begins_afresh_with_what_was_typed_and_chosen() -> None:
    setup = Setup(a_session())
    form = Options(size="1024x1536")
    await setup.gateway.edit(ID, 1, BOSS, "a cat --n 3", form, "V1")
    latest = setup.session.latest
    assert (latest.prompt, latest.base) == ("a cat", None)
    assert latest.options == Options(size="1024x1536", count=3)


async def test_a_form_submits_a_session_that_waits_for_its_prompt() -> None:
    setup = Setup()
    session = await setup.new_sessions.start(ORIGIN, "--n 2", may_wait=True)
    assert session.options == Options(count=2)
    submitted = await setup.gateway.submit(session.id, BOSS, "a cat", Options(count=3))
    assert (submitted.stage, submitted.task_input) == (Stage.GENERATING, "a cat")
    assert submitted.options == Options(count=3)


async def test_a_session_of_the_same_request_that_came_before_is_not_taken_back() -> None:
    """It has answered; the second delivery finds the store away."""
    setup = Setup()
    waiting = a_session(Stage.INITIAL_INPUT)
    there = await setup.gateway.store_new(waiting)
    create = setup.store.create

    async def unanswered(session: Session, **options: Any) -> Session:
        await create(session, **options)
        raise StoreUnavailable("the answer was lost")

    setup.store.create = unanswered  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailable):
        await setup.gateway.store_new(waiting)
    await setup.tasks.drain(10)
    assert setup.store.sessions[there.id] == there


async def test_a_session_whose_keeping_is_in_doubt_is_taken_back() -> None:
    """The person is told to try again: it must not appear all the same, minutes later."""
    setup = Setup()
    create = setup.store.create

    async def kept_but_unanswered(session: Session, **options: Any) -> Session:
        await create(session, **options)
        raise StoreUnavailable("the answer was lost")

    setup.store.create = kept_but_unanswered  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailable):
        await setup.new_sessions.start(ORIGIN, PROMPT)
    await setup.tasks.drain(10)
    assert setup.store.sessions == {}


async def test_a_session_that_was_waited_for_in_vain_is_taken_back() -> None:
    setup = Setup()
    create = setup.store.create

    async def kept_but_late(session: Session, **options: Any) -> Session:
        await create(session, **options)
        await asyncio.sleep(60)
        return session

    setup.store.create = kept_but_late  # type: ignore[method-assign, assignment]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await setup.new_sessions.start(ORIGIN, PROMPT)
    await setup.tasks.drain(10)
    assert setup.store.sessions == {}


async def test_a_session_that_came_before_is_not_taken_back_where_it_cannot_be_read() -> None:
    """The same words come again while the store does not answer."""
    setup = Setup()
    there = await setup.new_sessions.start(ORIGIN, PROMPT)
    setup.store.away = True
    with pytest.raises(StoreUnavailable):
        await setup.gateway.create(replace(there, attempts=(), version=0), BOSS, PROMPT)
    setup.store.away = False
    await setup.tasks.drain(10)
    assert setup.store.sessions == {there.id: there}


async def test_a_session_is_taken_back_once_the_store_is_there_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(taking_back, "PAUSE", 0.01)
    setup = Setup()
    create, discard = setup.store.create, setup.store.discard
    tried = []

    async def kept_but_unanswered(session: Session, **options: Any) -> Session:
        await create(session, **options)
        raise StoreUnavailable("the answer was lost")

    async def away_at_first(session: Session, write_id: str) -> None:
        tried.append(session.id)
        if len(tried) == 1:
            raise StoreUnavailable("away")
        await discard(session, write_id)

    setup.store.create = kept_but_unanswered  # type: ignore[method-assign, assignment]
    setup.store.discard = away_at_first  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await setup.new_sessions.start(ORIGIN, PROMPT)
    await setup.tasks.drain(10)
    assert (len(tried), setup.store.sessions) == (2, {})


async def test_why_a_session_is_not_taken_back_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(taking_back, "PAUSE", 0.01)
    monkeypatch.setattr(taking_back, "TRIED_FOR", 0.1)

    async def broken() -> None:
        raise StoreBroken("imagine:{T1}:holds is of another type")

    await taking_back.take_back(ID, broken)
    assert caplog.text.count("is not taken back yet: imagine:{T1}:holds is of another type") == 1
    assert "is not taken back, and goes on: imagine:{T1}:holds is of another type" in caplog.text
