"""For which installation a request is, and from whom: payloads as Slack is known to send them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.identity import Identity
from bot.slack.origin import (
    Actor,
    actor_of,
    is_asked_by_somebody,
    is_of_a_person,
    is_ours,
)

Payload = dict[str, Any]
TEAM = Identity("T1", "B1", "UBOT")
IN_ORG = Identity("T1", "B1", "UBOT", enterprise_id="E1")
ORG = Identity("E1", "B1", "UBOT", enterprise_id="E1", org_wide=True)


def event(inner: Payload, *given: tuple[str | None, str | None], **envelope: Any) -> Payload:
    authorizations = [{"team_id": team, "enterprise_id": org} for team, org in given]
    told = {"authorizations": authorizations} if given else {}
    return {"type": "event_callback", "event": {"user": "U1", **inner}, **told, **envelope}


def mention(**inner: Any) -> Payload:
    return {"type": "app_mention", "channel": "C1", **inner}


def message(**inner: Any) -> Payload:
    return {"type": "message", "channel_type": "im", "channel": "D1", **inner}


OURS = ("T1", None)
FROM_T9 = {"team": "T1", "user_team": "T9", "source_team": "T9"}
FROM_E9 = {"team": "T1", "user_team": "E9", "source_team": "E9"}
SHARED = {"is_ext_shared_channel": True}


FLAG_AS_TEXT: Payload = {"is_ext_shared_channel": "true"}


@pytest.mark.parametrize(
    ("identity", "body", "actor"),
    [
        # a mention from our side, delivered with the other side's team
        (
            TEAM,
            event(
                mention(team="T9", user_team="T1", source_team="T1"),
                OURS,
                team_id="T9",
                enterprise_id="E9",
                **SHARED,
            ),
            Actor("U1", "T1"),
        ),
        (TEAM, event(mention(team="T1"), OURS, team_id="T1", **SHARED), Actor("U1", "T1")),
        # from the other side
        (
            TEAM,
            event(mention(**FROM_T9), OURS, team_id="T1", **SHARED),
            Actor("U1", "T9"),
        ),
        (
            TEAM,
            event(mention(**FROM_E9), OURS, team_id="T1", **SHARED),
            Actor("U1", "E9"),
        ),
        (
            TEAM,
            event(mention(team="T1", user_profile={"team": "T9"}), OURS, team_id="T1", **SHARED),
            Actor("U1", "T9"),
        ),
        (
            TEAM,
            event(
                message(team="T9"),
                OURS,
                team_id="T9",
                enterprise_id="E9",
                context_team_id="T1",
                **SHARED,
            ),
            Actor("U1", "E9"),
        ),
        # of our organisation
        (IN_ORG, event(mention(user_team="E1"), ("T1", "E1"), team_id="T1"), Actor("U1", "T1")),
        (
            IN_ORG,
            event(message(team="T2"), ("T1", "E1"), team_id="T2", enterprise_id="E1"),
            Actor("U1", "T1"),
        ),
        (
            ORG,
            event(message(team="T2"), (None, "E1"), team_id="T2", enterprise_id="E1"),
            Actor("U1", "E1"),
        ),
        (
            ORG,
            event(
                mention(user_team="T3"),
                ("T2", "E1"),
                team_id="T2",
                enterprise_id="E1",
                is_ext_shared_channel=False,
            ),
            Actor("U1", "E1"),
        ),
        # whether others are there is not told, or told otherwise
        (
            ORG,
            event(mention(user_team="T9"), ("T2", "E1"), team_id="T2", enterprise_id="E1"),
            Actor("U1", "T9", certain=False),
        ),
        (
            IN_ORG,
            event(mention(team="T9", user_team="T9"), ("T1", "E1"), team_id="T1", **FLAG_AS_TEXT),
            Actor("U1", "T9", certain=False),
        ),
        # its own fields disagree
        (
            TEAM,
            event(mention(user_team="T1", source_team="T9"), OURS, team_id="T1", **SHARED),
            Actor("U1", "T9", certain=False),
        ),
        (
            ORG,
            event(
                mention(team="T2", user_team="T9"),
                ("T2", "E1"),
                team_id="T2",
                enterprise_id="E1",
                **SHARED,
            ),
            Actor("U1", "T9", certain=False),
        ),
        # nothing is told
        (TEAM, event(mention(), team_id="T1"), Actor("U1", "T1")),
        (TEAM, event(mention(), OURS, team_id="T1", **SHARED), Actor("U1", "", certain=False)),
        # a team that is not ours, in a channel that is told to be nobody else's
        (TEAM, event(mention(user_team="T9"), OURS, team_id="T1"), Actor("U1", "T9")),
    ],
)
def test_who_wrote_is_told_from_an_event(identity: Identity, body: Payload, actor: Actor) -> None:
    assert is_ours(body, identity)
    assert actor_of(body, identity) == actor


def act(
    user_team: str | None,
    team: str | None,
    org: str | None = None,
    team_more: Payload | None = None,
    **more: Any,
) -> Payload:
    told = {"team_id": user_team} if user_team else {}
    return {
        "type": "block_actions",
        "user": {"id": "U1", **told},
        "team": {"id": team, **(team_more or {})} if team else None,
        "enterprise": {"id": org} if org else None,
        **more,
    }


OF_OUR_ORG: Payload = {"enterprise_id": "E1"}
ORG_FORM: Payload = {
    "type": "view_submission",
    "view": {"app_installed_team_id": "E1", "team_id": "T9"},
}
THEIR_VIEW = {"app_installed_team_id": "T1", "team_id": "T9"}
THEIR_FORM: Payload = {"type": "view_submission", "view": THEIR_VIEW}


@pytest.mark.parametrize(
    ("identity", "body", "actor"),
    [
        (TEAM, act("T1", "T1"), Actor("U1", "T1")),
        (TEAM, act(None, "T1"), Actor("U1", "T1")),
        (TEAM, act("T9", "T1"), Actor("U1", "T9")),
        (TEAM, act("E9", "T1"), Actor("U1", "E9")),
        (TEAM, act("T9", "T9", **THEIR_FORM), Actor("U1", "T9")),
        (TEAM, act("T9", "T9", "E9", **THEIR_FORM), Actor("U1", "E9")),
        (IN_ORG, act("E1", "T1", "E1"), Actor("U1", "T1")),
        (IN_ORG, act("T1", "T1", "E1"), Actor("U1", "T1")),
        (IN_ORG, act("E9", "T1", "E1"), Actor("U1", "E9")),
        (IN_ORG, act("T9", "T1", "E1"), Actor("U1", "T9", certain=False)),
        (ORG, act("T2", "T2", "E1", OF_OUR_ORG), Actor("U1", "E1")),
        (ORG, act("T2", "T2", "E1"), Actor("U1", "T2", certain=False)),
        (ORG, act("T9", "T9", "E1", **ORG_FORM), Actor("U1", "T9", certain=False)),
        (ORG, act("T9", None, "E1", **ORG_FORM), Actor("U1", "T9", certain=False)),
        (ORG, act(None, None, "E1", **ORG_FORM), Actor("U1", "E1", certain=False)),
        (ORG, act("E1", "T2", "E1"), Actor("U1", "E1")),
        (ORG, act("T2", None, "E1"), Actor("U1", "T2", certain=False)),
        (ORG, act("E9", None, "E1"), Actor("U1", "E9")),
        (ORG, act("T9", "T2", "E1"), Actor("U1", "T9", certain=False)),
        (TEAM, {"command": "/imagine", "user_id": "U1", "team_id": "T1"}, Actor("U1", "T1")),
        (
            ORG,
            {"command": "/imagine", "user_id": "U1", "team_id": "T2", "enterprise_id": "E1"},
            Actor("U1", "E1"),
        ),
    ],
)
def test_who_acted_is_told_from_the_rest(identity: Identity, body: Payload, actor: Actor) -> None:
    assert is_ours(body, identity)
    assert actor_of(body, identity) == actor


@pytest.mark.parametrize(
    ("identity", "body"),
    [
        (TEAM, event(mention(), team_id="T9")),
        (TEAM, event(mention(), ("T9", None), team_id="T9")),
        (TEAM, event(mention(), ("T9", None), team_id="T1", **SHARED)),
        (TEAM, event(mention(), OURS, team_id="T9")),
        (TEAM, event(mention(), OURS, team_id="T9", is_ext_shared_channel=False)),
        (TEAM, event(mention(), team_id="T9", context_team_id="T9", **SHARED)),
        (TEAM, event(mention())),
        (TEAM, event({"type": "app_uninstalled"}, team_id="T9")),
        (IN_ORG, event(mention(), ("T2", "E1"), team_id="T2", enterprise_id="E1")),
        (ORG, event(mention(), ("T9", "E9"), team_id="T9", enterprise_id="E9")),
        (ORG, event(mention(), ("T9", None), team_id="T9")),
        (TEAM, act("T9", "T9")),
        (TEAM, act("T9", None)),
        (TEAM, act("T1", "T9")),
        (TEAM, {**act("T9", "T9"), "view": {"app_installed_team_id": "T9"}}),
        (TEAM, {"command": "/imagine", "user_id": "U1", "team_id": "T9"}),
        (TEAM, {"command": "/imagine", "user_id": "U1"}),
        (TEAM, {}),
        (Identity("T1", "B1", "UBOT", app_id="A1"), act("T1", "T1", api_app_id="A9")),
        (Identity("", "B1", "UBOT"), {"command": "/imagine", "user_id": "U1"}),
    ],
)
def test_what_is_for_another_installation(identity: Identity, body: Payload) -> None:
    assert not is_ours(body, identity)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (event(mention()), True),
        (event(message()), True),
        (event(message(channel_type="channel")), False),
        (event({"type": "app_home_opened", "tab": "home"}), True),
        (event({"type": "app_home_opened", "tab": "messages"}), False),
        (event({"type": "tokens_revoked"}), False),
        ({"type": "view_closed"}, False),
        (act("T1", "T1"), True),
        ({"event": "nonsense"}, False),
    ],
)
def test_what_somebody_asks(body: Payload, asked: bool) -> None:
    assert is_asked_by_somebody(body) is asked


@pytest.mark.parametrize(
    "inner",
    [
        {"bot_id": "B9"},
        {"bot_profile": {"id": "B9"}},
        {"app_id": "A9"},
        {"subtype": "bot_message"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"user": None},
        {"user": ""},
        {"user": "USLACKBOT"},
        {"user": "UBOT"},
    ],
)
def test_what_no_person_writes(inner: Payload) -> None:
    for make in (mention, message):
        assert not is_of_a_person(event({**make(), **inner}), TEAM)


@pytest.mark.parametrize(
    "inner",
    [{}, {"subtype": "file_share", "display_as_bot": False}, {"subtype": "thread_broadcast"}],
)
def test_what_a_person_writes(inner: Payload) -> None:
    for make in (mention, message):
        assert is_of_a_person(event({**make(), **inner}), TEAM)
