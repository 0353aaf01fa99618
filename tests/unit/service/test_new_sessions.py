"""How sessions begin, each once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef, Source
from bot.domain.option_table import OPTIONS
from bot.domain.options import Options
from bot.domain.prompt import OptionsRefused
from bot.domain.refusals import OptionsDisagree, Reason
from bot.domain.sizes import parse_ratio
from bot.domain.stages import Stage
from bot.service import RequestOrigin
from tests.fakes import (
    BOSS,
    CHANNEL,
    ID,
    OWNER,
    PROMPT,
    a_session,
    an_attempt,
)
from tests.unit.service.services import ORIGIN, Setup, refused

SOURCE = Source("F9", "image/png", 2_000)


async def test_a_prompt_starts_a_session_that_is_generating() -> None:
    setup = Setup()
    session = await setup.new_sessions.start(ORIGIN, f"  {PROMPT}\x00 ")
    assert (session.stage, session.task_input) == (Stage.GENERATING, PROMPT)
    assert (session.team, session.user, session.channel) == ("T1", OWNER, CHANNEL)
    assert session.response_url == "https://hooks/1"
    assert setup.store.sessions == {session.id: session}


async def test_the_same_request_twice_starts_one_session() -> None:
    setup = Setup()
    first, second = await asyncio.gather(
        setup.new_sessions.start(ORIGIN, PROMPT),
        setup.new_sessions.start(ORIGIN, PROMPT),
    )
    assert first == second
    assert len(setup.store.sessions) == 1


async def test_two_requests_of_one_person_start_two_sessions() -> None:
    setup = Setup()
    other = RequestOrigin("T1", BOSS, CHANNEL, "", idempotency_key="trigger.2")
    first, second = (
        await setup.new_sessions.start(ORIGIN, "a"),
        await setup.new_sessions.start(other, "b"),
    )
    assert first.id != second.id
    assert {first.id, second.id} == set(await setup.store.sessions_of("T1", OWNER))


async def test_the_session_id_hides_the_trigger_and_names_its_owner() -> None:
    assert ORIGIN.session_id().startswith(f"T1.{OWNER}.")
    assert "trigger" not in ORIGIN.session_id()


@pytest.mark.parametrize("may_wait", [True, False])
@pytest.mark.parametrize("text", ["\x00", "x" * 32_001, "--n 9", "--n 2 \x00", "a --what"])
async def test_a_text_that_will_not_do_keeps_nothing(text: str, may_wait: bool) -> None:
    setup = Setup()
    await refused(setup.new_sessions.start(ORIGIN, text, may_wait=may_wait))
    assert setup.store.sessions == {}


@pytest.mark.parametrize("text", ["", "  ", "--n 2"])
async def test_without_a_prompt_a_session_waits_only_where_it_may(text: str) -> None:
    setup = Setup()
    assert await refused(setup.new_sessions.start(ORIGIN, text)) is Reason.EMPTY_PROMPT
    assert setup.store.sessions == {}
    session = await setup.new_sessions.start(ORIGIN, text, may_wait=True)
    assert (session.stage, session.attempts) == (Stage.INITIAL_INPUT, ())


async def test_what_was_typed_counts_before_a_form_and_a_form_before_the_defaults() -> None:
    setup = Setup()
    setup.store.defaults["T1", OWNER] = Options(
        size="1024x1536", quality="low", background="opaque", count=4
    )
    typed = await setup.new_sessions.start(ORIGIN, "a fox --ar 16:9 --n 2")
    assert typed.options == Options(
        size=parse_ratio("16:9"), quality="low", background="opaque", count=2
    )
    other = replace(ORIGIN, idempotency_key="trigger.2")
    form = await setup.new_sessions.start(other, "a fox --n 2", options=Options(size="auto"))
    assert form.options == Options(size="auto", count=2)


async def test_a_prompt_and_a_select_of_its_form_that_disagree_start_nothing() -> None:
    setup = Setup()
    with pytest.raises(OptionsDisagree) as refusal:
        await setup.new_sessions.start(ORIGIN, "a fox --n 2", options=Options(count=3))
    assert (refusal.value.option, refusal.value.typed, refusal.value.selected) == ("count", 2, 3)
    assert not setup.store.sessions


async def test_a_default_quality_that_the_model_has_not_is_left_out() -> None:
    setup = Setup(option_table=OPTIONS.limited_to(quality=("low", "high")))
    setup.store.defaults["T1", OWNER] = Options(quality="max", count=2)
    assert (await setup.new_sessions.start(ORIGIN, "a fox")).options == Options(count=2)
    assert await setup.new_sessions.defaults("T1", OWNER) == Options(count=2)


async def test_a_refused_option_tells_all_that_was_typed() -> None:
    setup = Setup(option_table=OPTIONS.limited_to(quality=("low", "high")))
    with pytest.raises(OptionsRefused) as refusal:
        await setup.new_sessions.start(ORIGIN, "a fox --quality max")
    assert refusal.value.text == "a fox --quality max"
    assert refusal.value.refused[0].allowed == ("low", "high")


async def test_a_session_from_a_picture_edits_it() -> None:
    setup = Setup()
    session = await setup.new_sessions.start(ORIGIN, "make it night", SOURCE)
    assert session.source == SOURCE
    assert (session.latest.change, session.latest.base) == ("make it night", ImageRef(0))


async def test_a_picture_without_words_starts_nothing() -> None:
    setup = Setup()
    assert await refused(setup.new_sessions.start(ORIGIN, " ", SOURCE)) is Reason.EMPTY_CHANGE
    assert setup.store.sessions == {}


async def test_a_session_begins_in_the_thread_it_was_asked_for_in() -> None:
    session = await Setup().services.new_sessions.start(replace(ORIGIN, thread_ts="4.4"), PROMPT)
    assert (session.thread_ts, session.root_ts) == ("4.4", "")


async def test_starting_over_offers_what_the_approved_image_was_made_with() -> None:
    made = an_attempt(
        posted=True, options=Options(size="1024x1536"), base=ImageRef(0), change=PROMPT
    )
    later = an_attempt(2, posted=True, options=Options(count=4))
    setup = Setup(a_session(Stage.FINAL, attempts=1, source=SOURCE))
    setup.store.sessions[ID] = replace(
        setup.session, attempts=(made, later), options=later.options, final_result=1
    )
    _, new = await setup.new_sessions.restart(ORIGIN, ID)
    assert new.options == Options(size="1024x1536")
    session = await setup.gateway.submit(new.id, BOSS, "make it day", new.options)
    assert (session.source, session.latest.base) == (SOURCE, ImageRef(0))
    assert session.latest.change == "make it day"
