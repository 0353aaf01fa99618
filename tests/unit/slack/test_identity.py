"""For which installation a request is, and from whom: payloads as Slack is known to send them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.identity import (
    ClaimedPerson,
    Identity,
    claimed_person_of,
    is_for_installation,
    is_from_person,
    is_user_request,
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
UNSHARED = {"is_ext_shared_channel": False}


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
            ClaimedPerson("U1", "T1"),
        ),
        (TEAM, event(mention(team="T1"), OURS, team_id="T1", **SHARED), ClaimedPerson("U1", "T1")),
        # from the other side
        (
            TEAM,
            event(mention(**FROM_T9), OURS, team_id="T1", **SHARED),
            ClaimedPerson("U1", "T9"),
        ),
        (
            TEAM,
            event(mention(**FROM_E9), OURS, team_id="T1", **SHARED),
            ClaimedPerson("U1", "E9"),
        ),
        (
            TEAM,
            event(mention(team="T1", user_profile={"team": "T9"}), OURS, team_id="T1", **SHARED),
            ClaimedPerson("U1", "T9"),
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
            ClaimedPerson("U1", "E9"),
        ),
        # of our organisation
        (
            IN_ORG,
            event(mention(user_team="E1"), ("T1", "E1"), team_id="T1"),
            ClaimedPerson("U1", "T1"),
        ),
        (
            IN_ORG,
            event(message(team="T2"), ("T1", "E1"), team_id="T2", enterprise_id="E1"),
            ClaimedPerson("U1", "T1"),
        ),
        (
            ORG,
            event(message(team="T2"), (None, "E1"), team_id="T2", enterprise_id="E1"),
            ClaimedPerson("U1", "E1"),
        ),
        (
            ORG,
            event(
                mention(user_team="T3"), ("T2", "E1"), team_id="T2", enterprise_id="E1", **UNSHARED
            ),
            ClaimedPerson("U1", "E1"),
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
            ClaimedPerson("U1", "T9", certain=False),
        ),
        # nothing is told
        (TEAM, event(mention(), team_id="T1"), ClaimedPerson("U1", "T1")),
        (
            TEAM,
            event(mention(), OURS, team_id="T1", **SHARED),
            ClaimedPerson("U1", "", certain=False),
        ),
        # a team that is not ours, in a channel that is told to be nobody else's
        (TEAM, event(mention(user_team="T9"), OURS, team_id="T1"), ClaimedPerson("U1", "T9")),
    ],
)
def test_who_wrote_is_told_from_an_event(
    identity: Identity, body: Payload, actor: ClaimedPerson
) -> None:
    assert is_for_installation(body, identity)
    assert claimed_person_of(body, identity) == actor


def act(user_team: str | None, team: str | None, org: str | None = None, **more: Any) -> Payload:
    told = {"team_id": user_team} if user_team else {}
    return {
        "type": "block_actions",
        "user": {"id": "U1", **told},
        "team": {"id": team} if team else None,
        "enterprise": {"id": org} if org else None,
        **more,
    }


THEIR_VIEW = {"app_installed_team_id": "T1", "team_id": "T9"}
THEIR_FORM: Payload = {"type": "view_submission", "view": THEIR_VIEW}


@pytest.mark.parametrize(
    ("identity", "body", "actor"),
    [
        (TEAM, act("T1", "T1"), ClaimedPerson("U1", "T1")),
        (TEAM, act(None, "T1"), ClaimedPerson("U1", "T1")),
        (TEAM, act("T9", "T1"), ClaimedPerson("U1", "T9")),
        (TEAM, act("E9", "T1"), ClaimedPerson("U1", "E9")),
        (TEAM, act("T9", "T9", **THEIR_FORM), ClaimedPerson("U1", "T9")),
        (TEAM, act("T9", "T9", "E9", **THEIR_FORM), ClaimedPerson("U1", "E9")),
        (IN_ORG, act("E1", "T1", "E1"), ClaimedPerson("U1", "T1")),
        (IN_ORG, act("T1", "T1", "E1"), ClaimedPerson("U1", "T1")),
        (IN_ORG, act("E9", "T1", "E1"), ClaimedPerson("U1", "E9")),
        (IN_ORG, act("T9", "T1", "E1"), ClaimedPerson("U1", "T9", certain=False)),
        (ORG, act("T2", "T2", "E1"), ClaimedPerson("U1", "T2", certain=False)),
        (ORG, act("E1", "T2", "E1"), ClaimedPerson("U1", "E1")),
        (ORG, act("T2", None, "E1"), ClaimedPerson("U1", "T2", certain=False)),
        (ORG, act("E9", None, "E1"), ClaimedPerson("U1", "E9")),
        (ORG, act("T9", "T2", "E1"), ClaimedPerson("U1", "T9", certain=False)),
        (
            TEAM,
            {"command": "/imagine", "user_id": "U1", "team_id": "T1"},
            ClaimedPerson("U1", "T1"),
        ),
        (
            ORG,
            {"command": "/imagine", "user_id": "U1", "team_id": "T2", "enterprise_id": "E1"},
            ClaimedPerson("U1", "E1"),
        ),
    ],
)
def test_who_acted_is_told_from_the_rest(
    identity: Identity, body: Payload, actor: ClaimedPerson
) -> None:
    assert is_for_installation(body, identity)
    assert claimed_person_of(body, identity) == actor


UNKNOWN = ClaimedPerson("U1", "T9", certain=False)
GRID = {"team_id": "T1", "enterprise_id": "E1"}
FLAGS: list[Payload] = [{}, {"is_ext_shared_channel": "true"}, SHARED]


def on_grid(identity: Identity) -> tuple[str | None, str]:
    return (None if identity.org_wide else "T1"), "E1"


@pytest.mark.parametrize("identity", [IN_ORG, ORG])
@pytest.mark.parametrize("make", [mention, message])
@pytest.mark.parametrize("flag", FLAGS)
def test_in_an_organisation_an_unknown_workspace_is_not_taken_for_one_of_it(
    identity: Identity, make: Any, flag: Payload
) -> None:
    for told in (
        {"team": "T9", "user_team": "T9"},
        {"team": "T9"},
        {"user_team": "T1", "source_team": "T9"},
        {"user_team": "T9", "source_team": "T1"},
        {"user_team": "T1", "user_profile": {"team": "T9"}},
        {"user_team": "T9", "source_team": "E1"},
    ):
        body = event(make(**told), on_grid(identity), **GRID, **flag)
        assert is_for_installation(body, identity)
        assert claimed_person_of(body, identity) == UNKNOWN
    nameless = claimed_person_of(event(make(), on_grid(identity), **GRID, **flag), identity)
    assert nameless == ClaimedPerson("U1", "", certain=False)


@pytest.mark.parametrize("identity", [IN_ORG, ORG])
@pytest.mark.parametrize("flag", [*FLAGS, UNSHARED])
def test_whom_slack_calls_the_organisations_own_is_known(identity: Identity, flag: Payload) -> None:
    own = ClaimedPerson("U1", identity.installation)
    for told in (
        {"user_team": "E1"},
        {"user_team": "E1", "source_team": "E1", "user_profile": {"team": "T2"}},
    ):
        body = event(mention(team="T1", **told), on_grid(identity), **GRID, **flag)
        assert claimed_person_of(body, identity) == own


@pytest.mark.parametrize("told", [{"user_team": "E1", "source_team": "E9"}, {"user_team": "E9"}])
def test_who_is_named_as_of_another_organisation_is_none_of_ours(told: Payload) -> None:
    for identity in (IN_ORG, ORG):
        for flag in (*FLAGS, UNSHARED):
            body = event(mention(team="T1", **told), on_grid(identity), **GRID, **flag)
            assert claimed_person_of(body, identity).org == "E9"


@pytest.mark.parametrize(
    "told", [{"user_team": "T1", "source_team": "T9"}, {"user_team": "T9", "source_team": "T1"}]
)
def test_who_is_named_in_two_ways_is_uncertain_in_a_workspace_too(told: Payload) -> None:
    for flag in (*FLAGS, UNSHARED):
        assert (
            claimed_person_of(event(mention(**told), OURS, team_id="T1", **flag), TEAM) == UNKNOWN
        )


@pytest.mark.parametrize("identity", [IN_ORG, ORG])
@pytest.mark.parametrize("flag", [{}, UNSHARED, SHARED])
def test_an_authorization_of_ours_is_enough_in_an_organisation(
    identity: Identity, flag: Payload
) -> None:
    body = event(message(team="T2"), on_grid(identity), team_id="T2", **flag)
    assert is_for_installation(body, identity)
    assert claimed_person_of(body, identity) == ClaimedPerson("U1", "T2", certain=False)


WHOLE = {"is_enterprise_install": True}
VIEW_OF_ORG = {"team_id": "T9", "app_installed_team_id": "E1"}
FORM_OF_ORG: Payload = {"type": "view_submission", "view": VIEW_OF_ORG, **WHOLE}


@pytest.mark.parametrize("team", [None, "T9", "T2"])
@pytest.mark.parametrize("more", [WHOLE, FORM_OF_ORG, {**WHOLE, "type": "message_action"}])
def test_the_installations_organisation_is_not_the_actors(team: str | None, more: Payload) -> None:
    for told in ("T9", None) if team == "T9" else ("T9",):
        body = act(told, team, "E1", **more)
        assert is_for_installation(body, ORG)
        assert claimed_person_of(body, ORG) == UNKNOWN


@pytest.mark.parametrize(
    ("identity", "body"),
    [
        (IN_ORG, act("T9", "T1", "E1")),
        (IN_ORG, act("T9", "T9", **THEIR_FORM)),
        (IN_ORG, act("T9", "T9", "E1", **THEIR_FORM)),
        (ORG, act("T9", "T9", **FORM_OF_ORG)),
        (ORG, act("T9", None, **FORM_OF_ORG)),
    ],
)
def test_an_unknown_workspace_of_who_acts_is_uncertain(identity: Identity, body: Payload) -> None:
    assert is_for_installation(body, identity)
    assert claimed_person_of(body, identity) == UNKNOWN


@pytest.mark.parametrize("identity", [IN_ORG, ORG])
@pytest.mark.parametrize(
    "entry",
    [
        {"team_id": "T2", "enterprise_id": "E1"},
        {"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}},
        {"enterprise_id": "E1"},
        {"team_id": "E1"},
    ],
)
def test_a_persons_own_entry_tells_their_organisation(identity: Identity, entry: Payload) -> None:
    body = {**act(None, "T1", "E1"), "user": {"id": "U1", **entry}}
    assert claimed_person_of(body, identity) == ClaimedPerson("U1", identity.installation)
    theirs = {**body, "user": {"id": "U1", "team_id": "T9", "enterprise_id": "E9"}}
    assert claimed_person_of(theirs, identity) == ClaimedPerson("U1", "E9")


def test_the_organisation_of_a_persons_own_workspace_may_be_told_beside_it() -> None:
    told = {**act("T2", None, "E1"), "team": {"id": "T2", "enterprise_id": "E1"}}
    assert claimed_person_of(told, ORG) == ClaimedPerson("U1", "E1")


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
    assert not is_for_installation(body, identity)


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
    assert is_user_request(body) is asked


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
        assert not is_from_person(event({**make(), **inner}), TEAM)


@pytest.mark.parametrize(
    "inner",
    [
        {},
        {"subtype": "file_share", "display_as_bot": False},
        {"subtype": "thread_broadcast"},
        {"subtype": "me_message"},
    ],
)
def test_what_a_person_writes(inner: Payload) -> None:
    for make in (mention, message):
        assert is_from_person(event({**make(), **inner}), TEAM)
