"""People, channels and groups that a message mentions get their names into the prompt."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.domain.options import NO_OPTIONS
from bot.slack import display_names
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import direct, mention, signed_event
from tests.scenario.slack_app import SlackApp

USERS = {
    "U7": {"id": "U7", "name": "bob", "profile": {"display_name": "Bob Fox", "real_name": "R"}},
    "W8": {"id": "W8", "name": "zoe", "profile": {"display_name": " ", "real_name": "Zoë Ng"}},
    "U9": {"id": "U9", "name": "carol"},
    "U10": {"id": "U10", "profile": {"display_name": "Eve\u202e --n 4\n\U000e0041<!here>"}},
}
GROUPS = {"usergroups": [{"id": "S1", "name": "Art Team", "handle": "art"}, {"id": "S2"}]}
CHANNEL = {"channel": {"id": "C7", "name": "general"}}


def names_app(make_app: MakeApp) -> SlackApp:
    app = make_app(users=USERS)
    app.answers = {"usergroups.list": GROUPS, "conversations.info": CHANNEL}
    return app


@pytest.mark.parametrize(
    ("sent", "prompt"),
    [
        ("draw <@U7> as an astronaut", "draw Bob Fox as an astronaut"),
        ("<@U7> and <@W8>, <@U9>", "Bob Fox and Zoë Ng, carol"),
        ("<@U7>'s cat and <@U7>'s dog", "Bob Fox's cat and Bob Fox's dog"),
        ("<@U404> with <@U7>", "someone with Bob Fox"),
        ("a poster for <#C7>", "a poster for #general"),
        ("a poster for <#C7|>", "a poster for #general"),
        ("<!subteam^S1> at work", "Art Team at work"),
        ("<!subteam^S2> and <!subteam^S3>", "a group and a group"),
        ("draw <@U10>", "draw Eve -n 4 <!here>"),
        ("<!channel> as penguins :penguin:", "everyone in the channel as penguins :penguin:"),
    ],
)
async def test_the_prompt_has_names_and_no_ids(make_app: MakeApp, sent: str, prompt: str) -> None:
    app = names_app(make_app)
    await app.mention(sent)
    assert app.only.task_input == prompt
    assert app.only.options == NO_OPTIONS


async def test_a_direct_message_and_a_change_have_names_too(make_app: MakeApp) -> None:
    app = names_app(make_app)
    await app.event(direct("draw <@U7>"))
    assert app.only.task_input == "draw Bob Fox"


async def test_a_name_is_asked_for_once(make_app: MakeApp) -> None:
    app = names_app(make_app)
    for _ in "ab":
        await app.mention("<@U7> <@U7> <@U404> <!subteam^S1> <!subteam^S2> <#C7>")
    assert sorted(call.method for call in app.calls) == [
        "conversations.info",
        "usergroups.list",
        "users.info",
        "users.info",
    ]


async def test_messages_at_the_same_time_ask_once(make_app: MakeApp) -> None:
    app = names_app(make_app)
    app.slow["users.info"] = 0.05
    said = [mention(f"draw <@U7> {n}") for n in range(5)]
    await asyncio.gather(*(app.bolt.async_dispatch(signed_event(each)) for each in said))
    await app.tasks.drain(5)
    assert len(app.of("users.info")) == 1
    assert all("Bob Fox" in s.task_input for s in app.store.sessions.values())


@pytest.mark.parametrize(
    "error", ["missing_scope", "user_not_found", "ratelimited", "fatal_error", "channel_not_found"]
)
async def test_without_a_name_it_is_someone(make_app: MakeApp, error: str) -> None:
    app = names_app(make_app)
    app.fail.update(dict.fromkeys(("users.info", "conversations.info", "usergroups.list"), error))
    await app.mention("<@U7> in <#C7> with <!subteam^S1>")
    assert app.only.task_input == "someone in a channel with a group"


async def test_nobody_is_asked_without_the_scope(make_app: MakeApp) -> None:
    app = make_app(users=USERS, scopes=frozenset({"chat:write"}))
    await app.mention("<@U7> in <#C7> with <!subteam^S1>")
    assert app.only.task_input == "someone in a channel with a group"
    assert app.calls == []


async def test_a_slow_name_keeps_no_ack_waiting_and_is_known_later(make_app: MakeApp) -> None:
    app = names_app(make_app)
    app.slow["users.info"] = 0.6
    began = time.monotonic()
    await app.bolt.async_dispatch(signed_event(mention("draw <@U7>")))
    assert time.monotonic() - began < display_names.LOOK_UP_WITHIN + 0.25
    assert app.only.task_input == "draw someone"
    await app.tasks.drain(5)
    await app.mention("draw <@U7> again")
    assert {s.task_input for s in app.store.sessions.values()} == {
        "draw someone",
        "draw Bob Fox again",
    }


async def test_of_a_hundred_people_twenty_are_looked_up(make_app: MakeApp) -> None:
    app = names_app(make_app)
    await app.mention(" ".join(f"<@U{n}>" for n in range(100, 200)))
    assert len(app.of("users.info")) == display_names.MOST_LOOKED_UP
    assert "@" not in app.only.task_input
    assert "U1" not in app.only.task_input


async def test_what_is_typed_after_the_command_stays(make_app: MakeApp) -> None:
    """Slack sends it as typed: there are no ids in it."""
    app = names_app(make_app)
    await app.command("draw @bob in #general &amp; <@U7>")
    assert app.only.task_input == "draw @bob in #general &amp; <@U7>"
    assert app.of("users.info") == []
