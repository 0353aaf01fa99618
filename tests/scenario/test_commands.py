"""`/imagine`: what is acked, kept, queued and called."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.jobs import Job, JobKind
from bot.domain.option_table import OPTIONS
from bot.domain.options import Options
from bot.domain.prompt import MAX_PROMPT
from bot.domain.refusals import Reason
from bot.domain.session import Session
from bot.domain.sizes import parse_ratio
from bot.domain.stages import Stage
from bot.sandbox import PATIENCE
from bot.sandbox.webapi.block_kit import view_problems
from bot.views import words
from bot.views.blocks import Target
from bot.views.help_words import help_words
from bot.views.ids import PROMPT_FORM
from bot.views.option_selects import read_options
from bot.views.refusal_words import REFUSALS
from tests.fakes import CHANNEL, ID, OWNER, PROMPT, STRANGER, a_session, generating
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import RESPONSE_URL, WORKSPACE, Payload, command, signed


def told(body: str) -> str:
    """What the ack says in private."""
    answer = json.loads(body)
    assert answer["response_type"] == "ephemeral"
    text: str = answer["text"]
    return text


def selected(view: Payload) -> Options:
    """The options that a form has pre-selected."""
    values = {}
    for block in view["blocks"]:
        element = block.get("element", {})
        if "initial_option" in element:
            chosen = {element["action_id"]: {"selected_option": element["initial_option"]}}
            values[block["block_id"]] = chosen
    return read_options(values)


async def test_a_prompt_is_kept_and_queued_and_acked_with_nothing(make_app: MakeApp) -> None:
    app = make_app()
    response = await app.command(PROMPT)
    assert (response.status, response.body) == (200, "")
    (session,) = app.store.sessions.values()
    assert (session.team, session.user, session.channel) == ("T1", OWNER, CHANNEL)
    assert (session.stage, session.task_input) == (Stage.GENERATING, PROMPT)
    assert session.response_url == RESPONSE_URL
    assert app.queue.added == [Job(JobKind.ANNOUNCE, session.id, 1)]
    assert app.calls == []  # whatever Slack's API does, the command is acked


@pytest.mark.parametrize("marks", [{"trigger_id": "1.1.x"}, {"trigger_id": "", "response_url": ""}])
async def test_two_commands_are_two_sessions_whatever_marks_them(
    make_app: MakeApp, marks: dict[str, str]
) -> None:
    """Some senders use one `trigger_id` for all, or give none."""
    app = make_app()
    for text in ("a fox", "an otter"):
        assert (await app.command(text, **marks)).status == 200
    assert sorted(s.task_input for s in app.store.sessions.values()) == ["a fox", "an otter"]


@pytest.mark.parametrize("text", ["help", " HELP ", "Help"])
async def test_help_is_told_in_private_and_starts_nothing(make_app: MakeApp, text: str) -> None:
    app = make_app()
    response = await app.command(text)
    assert response.status == 200
    assert json.loads(response.body) == {"response_type": "ephemeral", "text": help_words()}
    assert app.store.sessions == {}


@pytest.mark.parametrize("text", ["", "   "])
async def test_without_a_prompt_a_form_opens(make_app: MakeApp, text: str) -> None:
    app = make_app()
    request = command(text)
    response = await app.send(request)
    assert (response.status, response.body) == (200, "")
    (session,) = app.store.sessions.values()
    assert session.stage is Stage.INITIAL_INPUT
    (opened,) = app.of("views.open")
    assert opened["trigger_id"] == request["trigger_id"]
    assert view_problems(opened["view"]) == []
    assert opened["view"]["callback_id"] == PROMPT_FORM
    assert opened["view"]["private_metadata"] == str(Target(session.id, ImageRef(0)))
    assert app.queue.added == []


async def test_a_text_of_control_characters_asks_for_a_prompt(make_app: MakeApp) -> None:
    app = make_app()
    response = await app.command("\x00\x01")
    assert REFUSALS[Reason.EMPTY_PROMPT] in response.body
    assert app.store.sessions == {}


async def test_nul_is_dropped_and_the_rest_kept(make_app: MakeApp) -> None:
    app = make_app()
    await app.command("a\x00 robot")
    (session,) = app.store.sessions.values()
    assert session.task_input == "a robot"


@pytest.mark.parametrize(
    "text", ["<!channel> <@U123> <https://x|y> & * _ ~ `", "👩‍🚀", "שלום", "one\ntwo", "x" * 32_000]
)
async def test_a_prompt_is_kept_as_typed(make_app: MakeApp, text: str) -> None:
    app = make_app()
    assert (await app.command(text)).body == ""
    (session,) = app.store.sessions.values()
    assert session.task_input == text


@pytest.mark.parametrize("length", [32_001, 40_000, 40_001, 500_000])
async def test_a_prompt_that_is_too_long_is_said_to_be(make_app: MakeApp, length: int) -> None:
    app = make_app()
    response = await app.command("x" * length)
    said = json.loads(response.body)
    assert (response.status, said["response_type"]) == (200, "ephemeral")
    assert f"{MAX_PROMPT:,}" in said["text"]
    assert app.store.sessions == {}
    assert app.queue.added == []


@pytest.mark.parametrize("piece", [" ", "\t", "—", '"', "--n 1 ", "help "])
async def test_what_is_too_long_to_be_read_is_refused_unread(make_app: MakeApp, piece: str) -> None:
    app = make_app()
    said = json.loads((await app.command(piece * 40_001)).body)
    assert said["text"] == REFUSALS[Reason.PROMPT_TOO_LONG]
    assert app.store.sessions == {}


async def test_one_request_delivered_twice_makes_one_session_and_one_job(
    make_app: MakeApp,
) -> None:
    app = make_app()
    request = command(PROMPT)
    responses = await asyncio.gather(
        *(app.bolt.async_dispatch(signed(urlencode(request))) for _ in "ab")
    )
    again = await app.send(request)
    assert [r.status for r in (*responses, again)] == [200, 200, 200]
    assert len(app.store.sessions) == 1
    assert len(app.queue.added) == 1


async def test_two_requests_of_one_person_make_two_sessions(make_app: MakeApp) -> None:
    app = make_app()
    await app.command("a cat")
    await app.command("a dog")
    assert sorted(s.task_input for s in app.store.sessions.values()) == ["a cat", "a dog"]
    assert len(app.queue.added) == 2


@pytest.mark.parametrize("text", ["", PROMPT])
async def test_while_the_store_is_away_the_person_is_asked_to_try_again(
    make_app: MakeApp, text: str
) -> None:
    app = make_app()
    app.store.away = True
    dispatched = asyncio.create_task(app.bolt.async_dispatch(signed(urlencode(command(text)))))
    async with asyncio.timeout(PATIENCE):
        response = await dispatched
    assert response.status == 200
    assert json.loads(response.body) == {
        "response_type": "ephemeral",
        "text": words.STORE_AWAY,
    }
    assert app.calls == []
    app.store.away = False
    await app.tasks.drain(PATIENCE)
    assert app.store.sessions == {}


async def test_while_the_queue_is_away_the_session_is_kept_for_the_sweeper(
    make_app: MakeApp,
) -> None:
    app = make_app()
    app.queue.away = True
    response = await app.command(PROMPT)
    assert (response.status, response.body) == (200, "")
    (session,) = app.store.sessions.values()
    assert session.id in app.store.touched
    assert app.calls == []


async def test_help_needs_no_store(make_app: MakeApp) -> None:
    app = make_app()
    app.store.away = True
    assert help_words() in json.loads((await app.command("help")).body)["text"]


async def test_a_form_that_does_not_open_is_apologised_for(make_app: MakeApp) -> None:
    app = make_app()
    app.fail["views.open"] = "expired_trigger_id"
    response = await app.command("")
    assert (response.status, response.body) == (200, "")
    assert [call["text"] for call in app.of("respond")] == [words.SOMETHING_BROKE]


@pytest.mark.parametrize("step", ["create", "add"])
async def test_a_listener_that_breaks_still_acks_and_says_nothing_of_why(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: str,
) -> None:
    app = make_app()

    async def broken(*_: object) -> None:
        raise RuntimeError(f"xoxb-secret {PROMPT}")

    monkeypatch.setattr(app.store if step == "create" else app.queue, step, broken)
    response = await app.command(PROMPT)
    assert response.status == 200
    said = response.body + str(app.of("respond"))
    assert words.SOMETHING_BROKE in said
    for hidden in ("xoxb-secret", PROMPT, "Traceback"):
        assert hidden not in said
        assert hidden not in caplog.text


async def test_a_command_without_a_channel_is_acked_all_the_same(make_app: MakeApp) -> None:
    app = make_app()
    request = command(PROMPT)
    del request["channel_id"]
    response = await app.send(request)
    assert response.status == 200
    assert words.SOMETHING_BROKE in response.body


async def test_options_are_taken_out_of_the_prompt(make_app: MakeApp) -> None:
    app = make_app()
    await app.command("a fox —ar 16:9 --quality high --n “3” --transparent")
    assert app.only.task_input == "a fox"
    assert app.only.options == Options(
        size=parse_ratio("16:9"), quality="high", background="transparent", count=3
    )
    assert len(app.only.latest.candidates) == 3


async def test_options_without_a_prompt_open_the_form_with_them_chosen(make_app: MakeApp) -> None:
    app = make_app()
    app.store.defaults["T1", OWNER] = Options(quality="low", count=4)
    await app.command("--n 2 --transparent")
    (opened,) = app.of("views.open")
    assert view_problems(opened["view"]) == []
    assert selected(opened["view"]) == Options(quality="low", background="transparent", count=2)
    assert app.only.stage is Stage.INITIAL_INPUT


async def test_what_a_person_made_their_defaults_stands_behind_what_they_typed(
    make_app: MakeApp,
) -> None:
    app = make_app(option_table=OPTIONS.limited_to(quality=("auto", "low", "high")))
    app.store.defaults["T1", OWNER] = Options(
        size="1024x1536", quality="max", background="opaque", count=4
    )
    await app.command("a fox --n 2")
    assert app.only.options == Options(size="1024x1536", background="opaque", count=2)


@pytest.mark.parametrize(
    ("text", "named", "allowed"),
    [
        ("a fox --stylize 5", "--stylize", "--ar"),
        ("a fox --n 9", "--n", "1"),
        ("a fox --n", "--n", "1"),
        ("a fox —quality best", "--quality", "high"),
        ("a fox --size 1000x1000", "--size", "992x992"),
        ("a <!channel> --ar 9:1", "--ar", "3"),
    ],
)
async def test_an_option_that_cannot_be_is_named_and_the_prompt_repeated(
    make_app: MakeApp, text: str, named: str, allowed: str
) -> None:
    app = make_app()
    said = told((await app.command(text)).body)
    assert named in said
    assert allowed in said
    assert text.replace("<", "&lt;").replace(">", "&gt;") in said
    assert app.store.sessions == {}
    assert app.queue.added == []


async def test_a_quality_that_the_model_has_not_is_refused(make_app: MakeApp) -> None:
    app = make_app(option_table=OPTIONS.limited_to(quality=("auto", "low")))
    said = told((await app.command("a fox --quality high")).body)
    assert "--quality" in said
    assert "low" in said
    assert app.store.sessions == {}


@pytest.mark.parametrize("text", ["list", " LIST "])
async def test_list_tells_what_is_in_progress_with_links(make_app: MakeApp, text: str) -> None:
    app = make_app(a_session())
    said = told((await app.command(text)).body)
    assert PROMPT in said
    assert f"{WORKSPACE}archives/{CHANNEL}/p10" in said
    assert list(app.store.sessions) == [ID]


async def test_list_tells_nobody_of_another_persons_sessions(make_app: MakeApp) -> None:
    app = make_app(a_session())
    said = told((await app.command("list", user_id=STRANGER)).body)
    assert "nothing in progress" in said
    assert WORKSPACE not in said


@pytest.mark.parametrize("text", ["cancel", "Cancel "])
async def test_cancel_stops_what_is_under_way_and_says_which(make_app: MakeApp, text: str) -> None:
    app = make_app(generating())
    await app.queue.add(Job(JobKind.GENERATE, ID, 1, candidate=1))
    said = told((await app.command(text)).body)
    assert PROMPT in said
    assert app.session.latest.failure is FailureKind.CANCELLED
    assert app.session.stage is Stage.INITIAL_INPUT
    assert app.cancellations.sent == [ID]
    assert await app.queue.waiting() == []
    assert app.queue.added[-1] == Job(JobKind.SHOW_CANCELLED, ID, 1)
    assert app.calls == []  # nothing is posted


async def test_nothing_to_cancel_is_said(make_app: MakeApp) -> None:
    app = make_app(a_session(Stage.FINAL))
    said = told((await app.command("cancel")).body)
    assert said == REFUSALS[Reason.NOTHING_TO_CANCEL]
    assert app.store.written == []


@pytest.mark.parametrize("text", ["list of foxes", "cancel culture as a fox", "help me, a fox"])
async def test_a_prompt_that_begins_with_one_of_the_words_is_a_prompt(
    make_app: MakeApp, text: str
) -> None:
    app = make_app()
    assert (await app.command(text)).body == ""
    assert app.only.task_input == text


@pytest.mark.parametrize(
    ("text", "away"), [("list", words.ASK_AGAIN), ("cancel", words.CANCEL_LOST)]
)
async def test_while_the_store_is_away_a_word_alone_is_answered_so(
    make_app: MakeApp, text: str, away: str
) -> None:
    app = make_app(generating())
    app.store.away = True
    assert told((await app.command(text)).body) == away
    assert app.queue.added == []


async def test_of_a_crowd_who_came_first_is_acked_first(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    create, order = app.store.create, list[str]()
    loop = asyncio.get_running_loop()
    heard_all = loop.time() + 0.25  # seconds in which a busy machine hears them all

    async def slow(*args: Any, **options: Any) -> Session:
        await asyncio.sleep(max(0.0, heard_all - loop.time()))
        order.append("stored")
        return await create(*args, **options)

    async def ask(number: int) -> None:
        request = signed(urlencode(command(f"{PROMPT} {number}")))
        assert (await app.bolt.async_dispatch(request)).status == 200
        order.append("acked")

    monkeypatch.setattr(app.store, "create", slow)
    await asyncio.gather(*map(ask, range(120)))
    await app.tasks.drain(PATIENCE)
    assert len(app.store.sessions) == 120
    assert order.index("acked") <= 64 < order.count("stored")
