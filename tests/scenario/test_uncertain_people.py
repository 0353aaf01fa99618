"""People whose payloads leave open whose they are: Slack is asked, or they are told why not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from slack_bolt.response import BoltResponse

from bot.domain.policy import Policy, WhoMayStart
from bot.slack.identity import Identity
from tests.fakes import OWNER
from tests.scenario.conftest import MakeApp
from tests.scenario.origins import ENTRIES, IN_ORG, ORG, TEAM, Origin, by_event
from tests.scenario.payloads import Payload, direct, mention
from tests.scenario.slack_app import SlackApp

NO_SCOPE = frozenset({"chat:write", "files:read"})
STRANGER = {OWNER: {"id": OWNER, "team_id": "T9", "is_stranger": True}}
FLAT_STRANGER = {OWNER: {"id": OWNER, "team_id": "T9"}}
MEMBER = {OWNER: {"id": OWNER, "team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}}
ACTS = [
    way
    for way in ENTRIES
    if way in {"prompt form", "refine form", "edit form", "image form"}
    or way in {"approve", "regenerate", "cancel", "refine", "edit prompt", "start over"}
    or way in {"shortcut", "home select"}
]


@dataclass(frozen=True)
class OfOrg(Origin):
    """An interaction with an organisation's installation. `here` is the payload's `team`,
    `enterprise` the installation's; the person is of `team`."""

    here: str = ""
    enterprise: str = "E1"

    def interaction(self, payload: Payload) -> Payload:
        dressed = {
            **payload,
            "api_app_id": "A1",
            "team": {"id": self.here} if self.here else None,
            "enterprise": {"id": self.enterprise} if self.enterprise else None,
            "is_enterprise_install": self.via[0] == "E1",
            "user": {**payload["user"], "id": self.user, "team_id": self.team},
        }
        if payload["type"] == "view_submission":
            view = {"team_id": self.team, "app_installed_team_id": self.via[0]}
            dressed["view"] = {**payload["view"], **view}
        return dressed


Make = Callable[[], Payload]


def by_bare_event(make: Make, **envelope: Any) -> Callable[[SlackApp], Awaitable[BoltResponse]]:
    """An event of which `envelope` replaces what Slack says around it; None is left out."""

    class Bare(Origin):
        def event(self, inner: Payload) -> Payload:
            told = {**super().event(inner), **envelope, "event": {**inner, "user": OWNER}}
            return {name: value for name, value in told.items() if value is not None}

    via = ("E1", "E1") if envelope.pop("org_wide", False) else ("T1", envelope.pop("org", ""))
    return lambda app: by_event(make)(app, Bare(via=via))


def app_for(make_app: MakeApp, way: str, identity: Identity, **options: Any) -> SlackApp:
    before = ENTRIES[way].before
    sessions = [replace(before, team=identity.installation)] if before else []
    return make_app(*sessions, identity=identity, **options)


def without_scope(identity: Identity) -> Identity:
    return replace(identity, scopes=NO_SCOPE)


def nothing_happened(app: SlackApp) -> bool:
    changed = app.store.written or app.store.defaults or app.queue.added
    return not changed and not app.of("views.open")


def said(app: SlackApp, response: BoltResponse) -> str:
    return " ".join([response.body, *(str(call.args) for call in app.calls)])


WHOLE = OfOrg("T9", via=("E1", "E1"))
HERE = replace(WHOLE, here="T9")


@pytest.mark.parametrize("way", ACTS)
async def test_a_strangers_clicks_and_forms_are_not_taken_for_the_owners(
    make_app: MakeApp, way: str
) -> None:
    for its, users in ((WHOLE, STRANGER), (HERE, FLAT_STRANGER)):
        app = app_for(make_app, way, ORG, users=users, policy=Policy(anyone=True))
        response = await ENTRIES[way].send(app, its)
        assert len(app.of("users.info")) == 1
        assert nothing_happened(app)
        assert "people of the workspace" in said(app, response)


@pytest.mark.parametrize("users", [STRANGER, FLAT_STRANGER, {}])
@pytest.mark.parametrize("way", ["approve", "regenerate", "refine", "edit form"])
async def test_where_anyone_may_start_a_stranger_is_somebody_else_than_the_owner(
    make_app: MakeApp, way: str, users: dict[str, Payload]
) -> None:
    for identity in (ORG, without_scope(ORG)):
        app = app_for(make_app, way, identity, users=users, who=WhoMayStart.ANYONE)
        response = await ENTRIES[way].send(app, WHOLE)
        assert nothing_happened(app)
        assert "can decide about this image" in said(app, response)


@pytest.mark.parametrize("users", [STRANGER, FLAT_STRANGER, {}])
async def test_where_anyone_may_start_a_stranger_starts_in_their_own_name(
    make_app: MakeApp, users: dict[str, Payload]
) -> None:
    app = app_for(make_app, "image form", ORG, users=users, who=WhoMayStart.ANYONE)
    await ENTRIES["image form"].send(app, WHOLE)
    assert (app.only.user, app.only.owner_org) == (OWNER, "T9")


ACTS_OF_T2 = {
    "in our workspace": (IN_ORG, OfOrg("T2", here="T1"), "approve"),
    "in another of the organisation": (ORG, OfOrg("T3", via=("E1", "E1"), here="T2"), "approve"),
    "a form": (ORG, OfOrg("T2", via=("E1", "E1"), here="T2", enterprise=""), "edit form"),
    "a form in ours": (IN_ORG, OfOrg("T2", here="T2", enterprise=""), "edit form"),
    "the organisation alone": (ORG, OfOrg("T2", via=("E1", "E1")), "refine form"),
}


@pytest.mark.parametrize("case", list(ACTS_OF_T2))
async def test_people_of_the_organisations_other_workspaces_are_looked_up(
    make_app: MakeApp, case: str
) -> None:
    identity, its, way = ACTS_OF_T2[case]
    app = app_for(make_app, way, identity, users=MEMBER)
    await ENTRIES[way].send(app, its)
    assert app.store.written
    app = app_for(make_app, way, without_scope(identity), users=MEMBER)
    words = said(app, await ENTRIES[way].send(app, its))
    assert nothing_happened(app)
    assert "users:read" in words
    assert "guest" not in words


EVENTS: dict[str, tuple[Identity, Callable[[SlackApp], Awaitable[BoltResponse]]]] = {
    f"{name}, {flag or 'no flag'}, {'org' if wide else 'workspace'}": (
        ORG if wide else IN_ORG,
        by_bare_event(
            lambda make=make: make("a fox", team="T9", user_team="T9"),  # type: ignore[misc]
            org_wide=wide,
            org="E1",
            team_id="T1",
            enterprise_id="E1",
            is_ext_shared_channel=flag,
        ),
    )
    for name, make in {"mention": mention, "direct message": direct}.items()
    for flag in (None, "true", True)
    for wide in (False, True)
}


@pytest.mark.parametrize("case", list(EVENTS))
async def test_a_strangers_words_are_looked_up_in_an_organisation(
    make_app: MakeApp, case: str
) -> None:
    identity, send = EVENTS[case]
    app = make_app(identity=identity, users=FLAT_STRANGER)
    words = said(app, await send(app))
    assert len(app.of("users.info")) == 1
    assert nothing_happened(app)
    assert "people of the workspace" in words
    app = make_app(identity=without_scope(identity))
    assert "users:read" in said(app, await send(app))
    assert nothing_happened(app)


@pytest.mark.parametrize("org_wide", [False, True])
async def test_words_of_a_member_are_heard_where_only_the_authorization_names_ours(
    make_app: MakeApp, org_wide: bool
) -> None:
    identity = ORG if org_wide else IN_ORG
    told = {"team_id": "T2", "enterprise_id": None, "org_wide": org_wide, "org": "E1"}
    app = make_app(identity=identity, users=MEMBER)
    await by_bare_event(lambda: direct("a fox", team="T2"), **told)(app)
    assert app.only.user == OWNER
    assert app.only.owner_org == identity.installation


async def test_in_a_shared_channel_who_names_no_team_is_looked_up_or_told(
    make_app: MakeApp,
) -> None:
    send = by_bare_event(lambda: mention("a fox"), is_ext_shared_channel=True)
    own = {OWNER: {"id": OWNER, "team_id": "T1"}}
    app = make_app(identity=TEAM, users=own)
    await send(app)
    assert app.only.owner_org == "T1"
    for who in WhoMayStart.TEAM, WhoMayStart.ANYONE:
        app = make_app(identity=without_scope(TEAM), users=own, who=who)
        words = said(app, await send(app))
        assert nothing_happened(app)
        assert "could not check" in words


@pytest.mark.parametrize("way", [way for way in ENTRIES if way != "words in a thread"])
async def test_a_workspace_in_no_organisation_needs_no_scope(make_app: MakeApp, way: str) -> None:
    for its in (Origin(), Origin(shared=True)):
        app = app_for(make_app, way, without_scope(TEAM))
        response = await ENTRIES[way].send(app, its)
        assert "Sorry" not in said(app, response)
        assert "could not check" not in said(app, response)
        assert app.of("users.info") == []


async def test_a_scope_that_slack_misses_is_named(make_app: MakeApp) -> None:
    app = app_for(make_app, "approve", IN_ORG)
    app.fail["users.info"] = "missing_scope"
    response = await ENTRIES["approve"].send(app, OfOrg("T2", here="T1"))
    assert "users:read" in said(app, response)


@pytest.mark.parametrize("here", ["T9", ""])
async def test_a_click_in_another_workspace_is_told_on_its_response_url(
    make_app: MakeApp, here: str
) -> None:
    app = app_for(make_app, "approve", TEAM)
    await ENTRIES["approve"].send(app, OfOrg("T9", here=here, enterprise=""))
    (call,) = app.calls
    assert call.method == "respond"
    assert "not set up for this workspace" in call.args["text"]
    assert nothing_happened(app)


async def test_a_me_message_is_words_of_a_person(make_app: MakeApp) -> None:
    app = make_app(identity=TEAM)
    await by_event(lambda: direct("a fox", subtype="me_message"))(app, Origin())
    assert app.only.latest.prompt == "a fox"
