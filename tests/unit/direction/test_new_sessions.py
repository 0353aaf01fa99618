"""How sessions begin, each once, and taken back where that is in doubt."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.direction import Place
from bot.domain.attempt import ImageRef, Source
from bot.domain.errors import OptionRefused, Reason, StoreUnavailable
from bot.domain.options import NO_OPTIONS, Options, ratio_of
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.work import Job, JobKind, owed
from tests.fakes import BOSS, CHANNEL, ID, OWNER, PROMPT, a_session, an_attempt
from tests.unit.direction.desk import PLACE, Desk, refused

SOURCE = Source("F9", "image/png", 2_000)


async def test_a_prompt_starts_a_session_that_is_generating() -> None:
    desk = Desk()
    session = await desk.direction.start(PLACE, f"  {PROMPT}\x00 ")
    assert (session.stage, session.task_input) == (Stage.GENERATING, PROMPT)
    assert (session.team, session.user, session.channel) == ("T1", OWNER, CHANNEL)
    assert session.response_url == "https://hooks/1"
    assert desk.store.sessions == {session.id: session}


async def test_the_same_request_twice_starts_one_session() -> None:
    desk = Desk()
    first, second = await asyncio.gather(
        desk.direction.start(PLACE, PROMPT), desk.direction.start(PLACE, PROMPT)
    )
    assert first == second
    assert len(desk.store.sessions) == 1


async def test_two_requests_of_one_person_start_two_sessions() -> None:
    desk = Desk()
    other = Place("T1", BOSS, CHANNEL, "", seed="trigger.2")
    first, second = await desk.direction.start(PLACE, "a"), await desk.direction.start(other, "b")
    assert first.id != second.id
    assert {first.id, second.id} == set(await desk.store.sessions_of("T1", OWNER))


async def test_the_session_id_hides_the_trigger_and_names_its_owner() -> None:
    assert PLACE.session_id().startswith(f"T1.{OWNER}.")
    assert "trigger" not in PLACE.session_id()


@pytest.mark.parametrize("may_wait", [True, False])
@pytest.mark.parametrize("text", ["\x00", "x" * 32_001, "--n 9", "--n 2 \x00", "a --what"])
async def test_a_text_that_will_not_do_keeps_nothing(text: str, may_wait: bool) -> None:
    desk = Desk()
    await refused(desk.direction.start(PLACE, text, may_wait=may_wait))
    assert desk.store.sessions == {}


@pytest.mark.parametrize("text", ["", "  ", "--n 2"])
async def test_without_a_prompt_a_session_waits_only_where_it_may(text: str) -> None:
    desk = Desk()
    assert await refused(desk.direction.start(PLACE, text)) is Reason.EMPTY_PROMPT
    assert desk.store.sessions == {}
    session = await desk.direction.start(PLACE, text, may_wait=True)
    assert (session.stage, session.attempts) == (Stage.INITIAL_INPUT, ())


async def test_a_form_submits_a_session_that_waits_for_its_prompt() -> None:
    desk = Desk()
    session = await desk.direction.start(PLACE, "--n 2", may_wait=True)
    assert session.options == Options(count=2)
    submitted, old = await desk.direction.submit(session.id, BOSS, "a cat", Options(count=3))
    assert (submitted.stage, submitted.task_input, old) == (Stage.GENERATING, "a cat", None)
    assert submitted.options == Options(count=3)


async def test_what_was_typed_counts_before_a_form_and_a_form_before_the_defaults() -> None:
    desk = Desk()
    desk.store.defaults["T1", OWNER] = Options("1024x1536", "low", "opaque", 4)
    typed = await desk.direction.start(PLACE, "a fox --ar 16:9 --n 2")
    assert typed.options == Options(ratio_of("16:9"), "low", "opaque", 2)
    other = replace(PLACE, seed="trigger.2")
    form = await desk.direction.start(other, "a fox --n 2", options=Options("auto", count=3))
    assert form.options == Options("auto", "", "", 2)


async def test_a_default_quality_that_the_model_has_not_is_left_out() -> None:
    desk = Desk(qualities=("low", "high"))
    desk.store.defaults["T1", OWNER] = Options(quality="max", count=2)
    assert (await desk.direction.start(PLACE, "a fox")).options == Options(count=2)
    assert await desk.direction.defaults("T1", OWNER) == Options(count=2)


async def test_a_refused_option_tells_all_that_was_typed() -> None:
    desk = Desk(qualities=("low", "high"))
    with pytest.raises(OptionRefused) as refusal:
        await desk.direction.start(PLACE, "a fox --quality max")
    assert refusal.value.text == "a fox --quality max"
    assert refusal.value.allowed == ("low", "high")


async def test_a_session_from_a_picture_edits_it() -> None:
    desk = Desk()
    session = await desk.direction.start(PLACE, "make it night", SOURCE)
    assert session.source == SOURCE
    assert (session.latest.change, session.latest.base) == ("make it night", ImageRef(0))


async def test_a_picture_without_words_starts_nothing() -> None:
    desk = Desk()
    assert await refused(desk.direction.start(PLACE, " ", SOURCE)) is Reason.EMPTY_CHANGE
    assert desk.store.sessions == {}


async def test_a_session_begins_in_the_thread_it_was_asked_for_in() -> None:
    session = await Desk().direction.start(replace(PLACE, thread_ts="4.4"), PROMPT)
    assert (session.thread_ts, session.root_ts) == ("4.4", "")


async def test_a_session_whose_keeping_is_in_doubt_is_taken_back() -> None:
    """The person is told to try again: it must not appear all the same, minutes later."""
    desk = Desk()
    create = desk.store.create

    async def kept_but_unanswered(session: Session) -> Session:
        await create(session)
        raise StoreUnavailable("the answer was lost")

    desk.store.create = kept_but_unanswered  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await desk.direction.start(PLACE, PROMPT)
    await desk.tasks.drain(10)
    assert desk.store.sessions == {}


async def test_a_session_that_was_waited_for_in_vain_is_taken_back() -> None:
    desk = Desk()
    create = desk.store.create

    async def kept_but_late(session: Session) -> Session:
        await create(session)
        await asyncio.sleep(60)
        return session

    desk.store.create = kept_but_late  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await desk.direction.start(PLACE, PROMPT)
    await desk.tasks.drain(10)
    assert desk.store.sessions == {}


async def test_starting_over_clears_the_approved_session_and_its_images() -> None:
    desk = Desk(a_session(Stage.FINAL, attempts=2, final_ts="9.0"))
    desk.store.images = {(ID, ImageRef(n)): "a" for n in range(3)}
    new = await desk.direction.restart(PLACE, desk.session)
    session, old = await desk.direction.submit(new.id, BOSS, "a cat", NO_OPTIONS)
    assert (session.stage, session.task_input) == (Stage.GENERATING, "a cat")
    assert old is not None
    assert (old.final_ts, old.retiring_result) == ("9.0", 2)
    assert owed(old) == Job(JobKind.RETIRE, ID, 2)
    assert (desk.session.stage, desk.session.restarted_as) == (Stage.INITIAL_INPUT, new.id)
    assert desk.store.images == {}


async def test_starting_over_offers_what_the_approved_image_was_made_with() -> None:
    made = an_attempt(posted=True, options=Options("1024x1536"), base=ImageRef(0), change=PROMPT)
    later = an_attempt(2, posted=True, options=Options(count=4))
    desk = Desk(a_session(Stage.FINAL, attempts=1, source=SOURCE))
    desk.store.sessions[ID] = replace(
        desk.session, attempts=(made, later), options=later.options, final_result=1
    )
    new = await desk.direction.restart(PLACE, desk.session)
    assert new.options == Options("1024x1536")
    session, _ = await desk.direction.submit(new.id, BOSS, "make it day", new.options)
    assert (session.source, session.latest.base) == (SOURCE, ImageRef(0))
    assert session.latest.change == "make it day"


async def test_of_two_forms_that_start_over_the_first_submitted_counts() -> None:
    desk = Desk(a_session(Stage.FINAL))
    first = await desk.direction.restart(PLACE, desk.session)
    second = await desk.direction.restart(replace(PLACE, seed="t.2"), desk.session)
    await desk.direction.submit(second.id, BOSS, "a cat", NO_OPTIONS)
    late = desk.direction.submit(first.id, BOSS, "a dog", NO_OPTIONS)
    assert await refused(late) is Reason.STARTED_OVER
    assert desk.store.sessions[first.id].stage is Stage.INITIAL_INPUT


async def test_a_cleared_session_cannot_be_submitted_anew() -> None:
    desk = Desk(a_session(Stage.FINAL))
    new = await desk.direction.restart(PLACE, desk.session)
    await desk.direction.submit(new.id, BOSS, "a cat", NO_OPTIONS)
    late = desk.direction.submit(ID, BOSS, "a dog", NO_OPTIONS)
    assert await refused(late) is Reason.STARTED_OVER
    assert (desk.session.stage, len(desk.session.attempts)) == (Stage.INITIAL_INPUT, 1)


async def test_starting_over_goes_on_where_the_store_went_away_in_between() -> None:
    desk = Desk(a_session(Stage.FINAL, final_ts="9.0"))
    new = await desk.direction.restart(PLACE, desk.session)
    desk.store.writes_until_away = 1
    with pytest.raises(StoreUnavailable):
        await desk.direction.submit(new.id, BOSS, "a cat", NO_OPTIONS)
    desk.store.writes_until_away = None
    session, _ = await desk.direction.submit(new.id, BOSS, "a cat", NO_OPTIONS)
    assert session.stage is Stage.GENERATING
