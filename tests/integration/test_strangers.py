"""Strangers, guests and bots in the simulated Slack, over Socket Mode and signed HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.policy import WhoMayStart
from bot.sandbox import SimulatedSlack
from bot.sandbox.delivery.payloads import event, slash_command
from bot.sandbox.workspace.members import User
from tests.fakes import eventually
from tests.support.listening import SECONDS, Bot, listening

PROFILE = {"id": "B0OTHER", "app_id": "A0OTHER", "name": "other", "team_id": "T0SANDBOX1"}


@pytest.fixture
def transport() -> str:
    """Where it makes no difference; the test of acks is over both."""
    return "http"


def in_general(slack: SimulatedSlack, name: str, **more: Any) -> User:
    user = slack.workspace.add_user(name, **more)
    slack.channel("general").members.add(user.id)
    return user


def nothing(bot: Bot) -> bool:
    return not bot.store.sessions and not bot.queue.added


async def told(bot: Bot, user: User) -> str:
    await bot.slack.wait_for(lambda: bot.slack.ephemerals(user.id), timeout=SECONDS, what="words")
    (words,) = bot.slack.ephemerals(user.id)
    return words.text


async def test_a_strangers_mention_is_answered_in_private(
    slack: SimulatedSlack, transport: str
) -> None:
    zed = in_general(slack, "zed", team_id="T0OTHER", enterprise_id="E0OTHER")
    async with listening(slack, transport) as bot:
        assert (await slack.mention(zed, "general", "a fox")).attempts == 1
        assert "people of the workspace" in await told(bot, zed)
        assert nothing(bot)


async def test_in_a_shared_channel_the_workspaces_own_people_go_on(
    slack: SimulatedSlack, transport: str
) -> None:
    in_general(slack, "zed", team_id="T0OTHER")
    async with listening(slack, transport) as bot:
        assert (await slack.mention("alice", "general", "a fox")).ok
        assert bot.only.user == slack.user("alice").id


async def test_a_command_of_another_team_starts_nothing(
    slack: SimulatedSlack, transport: str
) -> None:
    zed = in_general(slack, "zed", team_id="T0OTHER")
    async with listening(slack, transport) as bot:
        assert (await slack.slash(zed, "general", "/imagine", "a fox")).ok
        assert "not set up for this workspace" in await told(bot, zed)
        assert nothing(bot)


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_events_and_commands_of_another_team_are_acked_once(
    slack: SimulatedSlack, transport: str
) -> None:
    alice, general = slack.user("alice"), slack.channel("general")
    inner = {"type": "app_mention", "user": alice.id, "text": "a fox", "ts": "1.1"}
    there = {"team_id": "T0OTHER", "context_team_id": "T0OTHER"}
    async with listening(slack, transport) as bot:
        for given in ([], [{"team_id": "T0OTHER", "enterprise_id": None}]):
            mention = event(slack.workspace, {**inner, "channel": general.id})
            ack = await slack.delivery.deliver_event(
                {**mention, **there, "authorizations": given}, SECONDS
            )
            assert (ack.ok, ack.attempts) == (True, 1)
        typed = slash_command(slack.workspace, alice, general, "/imagine", "a fox")
        ack = await slack.delivery.deliver_action("slash_commands", {**typed, **there}, SECONDS)
        assert ack.ok
        assert nothing(bot)


@pytest.mark.parametrize("marks", [{"bot_profile": PROFILE}, {"bot_id": "B0OTHER"}, {}])
async def test_what_bots_say_is_acked_and_starts_nothing(
    slack: SimulatedSlack, transport: str, marks: dict[str, Any]
) -> None:
    robot = in_general(slack, "robot", is_bot=True)
    if not marks:
        robot = slack.workspace.users["USLACKBOT"] = User("USLACKBOT", "slackbot", is_bot=True)
        slack.channel("general").members.add(robot.id)
    async with listening(slack, transport) as bot:
        said = f"<@{slack.bot_user_id}> a fox"
        ack = await slack.say(robot, "general", said, **marks)
        assert (ack.ok, ack.attempts) == (True, 1)
        assert nothing(bot)
        assert not slack.ephemerals(robot.id)


@pytest.mark.parametrize("guest", ["is_restricted", "is_ultra_restricted"])
async def test_a_guest_is_let_in_by_team_and_not_by_full_members(
    slack: SimulatedSlack, transport: str, guest: str
) -> None:
    gus = in_general(slack, "gus", **{guest: True})
    async with listening(slack, transport) as bot:
        assert (await slack.mention(gus, "general", "a fox")).ok
        assert bot.only.user == gus.id
    async with listening(slack, transport, WhoMayStart.FULL_MEMBERS) as bot:
        assert (await slack.mention(gus, "general", "a fox")).ok
        assert "guests of this workspace" in await told(bot, gus)
        assert nothing(bot)
        assert (await slack.mention("alice", "general", "a fox")).ok
        await eventually(lambda: bot.queue.added, SECONDS)


async def test_in_an_organisation_people_come_from_each_of_its_workspaces(
    slack: SimulatedSlack, transport: str
) -> None:
    workspace = slack.workspace
    workspace.app = replace(workspace.app, enterprise_id="E0ORG", org_wide=True)
    ann = in_general(slack, "ann", team_id="T0SECOND1", enterprise_id="E0ORG")
    zed = in_general(slack, "zed", team_id="T0OTHER", enterprise_id="E0OTHER")
    async with listening(slack, transport) as bot:
        assert (await slack.slash(ann, "general", "/imagine", "a fox")).ok
        assert (await slack.mention(ann, "general", "a wolf")).ok
        assert {(s.team, s.owner_org) for s in bot.store.sessions.values()} == {("E0ORG", "E0ORG")}
        assert (await slack.mention(zed, "general", "a cat")).ok
        assert "people of the workspace" in await told(bot, zed)
        assert len(bot.store.sessions) == 2
