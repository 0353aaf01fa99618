"""Who is let in, by every way in: what is for this installation, and who may use the bot."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from dataclasses import replace

import pytest

from bot.domain.policy import Policy, WhoMayStart
from bot.slack.identity import Identity
from tests.fakes import ID, OWNER, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.origins import BOT_EVENTS, ENTRIES, IN_ORG, ORG, TEAM, Entry, Origin, by_event
from tests.scenario.payloads import command, mention
from tests.scenario.slack_app import SlackApp

VIA_ORG = ("E1", "E1")
OWN = {
    "the workspace's": (TEAM, Origin()),
    "the workspace's, in a shared channel": (TEAM, Origin(shared=True)),
    "of the workspace in an organisation": (IN_ORG, Origin(org="E1", via=("T1", "E1"))),
    "of the organisation": (ORG, Origin(org="E1", via=VIA_ORG)),
    "of its other workspace": (ORG, Origin("T2", "E1", via=VIA_ORG)),
    "of it, in a shared channel": (ORG, Origin("T2", "E1", via=VIA_ORG, shared=True)),
}
FOREIGN = {
    "another team": (TEAM, Origin("T9", via=("T9", ""))),
    "another team, shared channel": (TEAM, Origin("T9", via=("T9", ""), shared=True)),
    "ours, for another team's installation": (TEAM, Origin(via=("T9", ""), shared=True)),
    "another organisation": (ORG, Origin("T9", "E9", via=("E9", "E9"))),
    "a team in no organisation": (ORG, Origin("T9", via=("T9", ""))),
    "another workspace of the organisation": (IN_ORG, Origin("T2", "E1", via=("T2", "E1"))),
    "another app": (TEAM, Origin(app="A9")),
}
OUTSIDERS = {
    "a team": (TEAM, Origin("T9", shared=True)),
    "an organisation": (TEAM, Origin("T9", "E9", shared=True)),
    "a team, ours in an organisation": (IN_ORG, Origin("T9", via=("T1", "E1"), shared=True)),
    "an organisation, both": (IN_ORG, Origin("T9", "E9", via=("T1", "E1"), shared=True)),
    "a team, ours org-wide": (ORG, Origin("T9", "E9", via=VIA_ORG, shared=True)),
}
USERS = {OWNER: {"id": OWNER, "team_id": "T9"}}
WITH_A_RESPONSE_URL = {
    "approve",
    "regenerate",
    "cancel",
    "refine",
    "edit prompt",
    "start over",
    "shortcut",
}
IN_A_CHANNEL = [name for name in ENTRIES if name not in {"home", "home select", "direct message"}]
KINDS = ("command", "mention", "direct message", "approve", "edit form")
"""A way in for each kind of payload that names people in a way of its own."""


def crossed(
    origins: Iterable[str], ways: Collection[str] = tuple(ENTRIES)
) -> list[tuple[str, str]]:
    """Every way with the first origin, and every other origin by each kind of way."""
    first, *others = origins
    kinds = [way for way in KINDS if way in ways]
    return [*((way, first) for way in ways), *itertools.product(kinds, others)]


def with_entry(make_app: MakeApp, entry: Entry, identity: Identity, **options: object) -> SlackApp:
    before = [replace(entry.before, team=identity.installation)] if entry.before else []
    return make_app(*before, identity=identity, **options)


def assert_nothing_happened(app: SlackApp, entry: Entry) -> None:
    assert app.store.written == []
    assert app.store.defaults == {}
    assert app.queue.added == []
    assert not {"views.open", "chat.postMessage"} & {call.method for call in app.calls}


def assert_nothing_changed(app: SlackApp) -> None:
    """At most something was suggested."""
    assert app.store.written == []
    assert app.queue.added == []
    assert app.of("views.open") == []


def assert_it_happened(app: SlackApp, entry: Entry) -> None:
    assert bool(app.store.written) == (entry.starts or entry.changes)
    if not app.store.written:
        assert app.of("views.open") or app.of("views.publish")
    assert "Sorry" not in str(app.calls)


@pytest.mark.parametrize(("way", "origin"), crossed(OWN))
async def test_the_installations_own_people_are_let_in(
    make_app: MakeApp, way: str, origin: str
) -> None:
    entry, (identity, its) = ENTRIES[way], OWN[origin]
    app = with_entry(make_app, entry, identity)
    response = await entry.send(app, its)
    assert response.status == 200
    assert_it_happened(app, entry)
    assert app.of("users.info") == []


@pytest.mark.parametrize("origin", list(OWN))
async def test_full_members_are_let_in(make_app: MakeApp, origin: str) -> None:
    entry, (identity, its) = ENTRIES["command"], OWN[origin]
    told = {"id": OWNER, "team_id": its.team, "enterprise_user": {"enterprise_id": its.org}}
    app = with_entry(make_app, entry, identity, who=WhoMayStart.FULL_MEMBERS, users={OWNER: told})
    await entry.send(app, its)
    assert_it_happened(app, entry)
    assert len(app.of("users.info")) == 1


@pytest.mark.parametrize(("way", "origin"), crossed(FOREIGN))
async def test_what_is_for_another_installation_changes_nothing_and_is_told_where_it_can_be(
    make_app: MakeApp, way: str, origin: str
) -> None:
    entry, (identity, foreign), anyone = ENTRIES[way], FOREIGN[origin], Policy(anyone=True)
    app = with_entry(make_app, entry, identity, who=WhoMayStart.ANYONE, policy=anyone)
    response = await entry.send(app, foreign)
    assert response.status == 200
    assert_nothing_happened(app, entry)
    told = [str(call.args["text"]) for call in app.calls if call.method == "respond"]
    assert len(told) == len(app.calls) == (way in WITH_A_RESPONSE_URL)
    said = [*told, response.body] if way.startswith("command") else told
    assert all("not set up for this workspace" in words for words in said if words)
    assert bool(response.body) == way.startswith("command")


@pytest.mark.parametrize(
    ("way", "origin"),
    crossed(OUTSIDERS, [name for name in IN_A_CHANNEL if "command" not in name]),
)
async def test_an_outsider_with_the_owners_id_is_told_in_private(
    make_app: MakeApp, way: str, origin: str
) -> None:
    entry, (identity, outside) = ENTRIES[way], OUTSIDERS[origin]
    app = with_entry(make_app, entry, identity, policy=Policy(anyone=True), users=USERS)
    response = await entry.send(app, outside)
    assert response.status == 200
    assert_nothing_happened(app, entry)
    said = [response.body, *(c.args.get("text", "") for c in app.calls)]
    assert any("people of the workspace" in words for words in said)


@pytest.mark.parametrize(
    "way", ["words in a thread", "approve", "regenerate", "refine", "edit form"]
)
async def test_where_anyone_may_start_an_outsider_with_the_owners_id_is_no_owner(
    make_app: MakeApp, way: str
) -> None:
    entry = ENTRIES[way]
    app = with_entry(make_app, entry, TEAM, who=WhoMayStart.ANYONE)
    response = await entry.send(app, Origin("T9", shared=True))
    assert_nothing_changed(app)
    said = [response.body, *(c.args.get("text", "") for c in app.calls)]
    assert any("can decide about this image" in words for words in said)


async def test_where_anyone_may_start_an_outsider_has_sessions_of_their_own(
    make_app: MakeApp,
) -> None:
    app = make_app(identity=TEAM, who=WhoMayStart.ANYONE)
    outside = Origin("T9", "E9", shared=True)
    await by_event(lambda: mention("a purple zebra"))(app, outside)
    session = app.only
    assert (session.team, session.user, session.owner_org) == ("T1", OWNER, "E9")
    assert await app.store.sessions_of("T1", OWNER) == []
    assert await app.store.sessions_of("T1", f"E9-{OWNER}") == [session.id]
    await ENTRIES["home"].send(app, Origin())
    assert "zebra" not in str(app.of("views.publish"))


@pytest.mark.parametrize("way", list(ENTRIES))
async def test_a_director_is_named_as_one_of_our_own_people(make_app: MakeApp, way: str) -> None:
    """The ids of `DIRECTORS` are no outsiders'."""
    entry = ENTRIES[way]
    if entry.before is None or way == "start over":  # for anybody
        return
    policy = Policy(others=frozenset({"U2"}))
    app = with_entry(make_app, entry, TEAM, policy=policy, who=WhoMayStart.ANYONE)
    await entry.send(app, Origin("T9", user="U2", shared=True))
    assert_nothing_changed(app)
    await entry.send(app, Origin(user="U2"))
    assert_it_happened_for_a_director(app)


def assert_it_happened_for_a_director(app: SlackApp) -> None:
    assert app.store.written or app.of("views.open")


async def test_in_an_organisation_the_same_person_acts_from_two_workspaces(
    make_app: MakeApp,
) -> None:
    app = make_app(identity=ORG)
    await ENTRIES["command"].send(app, Origin("T1", "E1", via=VIA_ORG))
    session = app.only
    assert (session.team, session.owner_org) == ("E1", "E1")
    app.store.sessions = {ID: a_session(team="E1", owner_org="E1")}
    await ENTRIES["regenerate"].send(app, Origin("T2", "E1", via=VIA_ORG))
    assert len(app.session.attempts) == 2


async def test_a_session_from_before_people_had_an_organisation_is_still_its_owners(
    make_app: MakeApp,
) -> None:
    for identity, origin in OWN.values():
        entry = ENTRIES["regenerate"]
        app = make_app(entry.before, identity=identity, policy=Policy(team=identity.installation))
        await entry.send(app, origin)
        assert len(app.session.attempts) == 2


# guests


@pytest.mark.parametrize(("way", "flag"), crossed(["is_restricted", "is_ultra_restricted"]))
async def test_guests_are_let_in_unless_the_setting_says_full_members(
    make_app: MakeApp, way: str, flag: str
) -> None:
    entry = ENTRIES[way]
    users = {OWNER: {"id": OWNER, "team_id": "T1", flag: True}}
    app = with_entry(make_app, entry, TEAM, users=users)
    await entry.send(app, Origin())
    assert_it_happened(app, entry)
    app = with_entry(
        make_app, entry, TEAM, users=users, who=WhoMayStart.FULL_MEMBERS, policy=Policy(anyone=True)
    )
    response = await entry.send(app, Origin())
    assert response.status == 200
    if way != "home select":  # its words are a direct message
        assert_nothing_happened(app, entry)
    said = [response.body, *(str(c.args) for c in app.calls)]
    assert any("guests of this workspace" in words for words in said)


@pytest.mark.parametrize(
    "told",
    [
        {"team_id": "T9"},
        {"team_id": "T1", "is_stranger": True},
        {"team_id": "T1", "deleted": True},
        {"team_id": "T1", "is_bot": True},
        None,
    ],
    ids=["of another team", "stranger", "deleted", "bot", "not found"],
)
async def test_who_is_no_member_by_slacks_word_is_an_outsider(
    make_app: MakeApp, told: dict[str, object] | None
) -> None:
    users = {OWNER: {"id": OWNER, **told}} if told else {}
    app = make_app(identity=TEAM, who=WhoMayStart.FULL_MEMBERS, users=users)
    response = await ENTRIES["command"].send(app, Origin())
    assert "people of the workspace" in response.body
    assert_nothing_happened(app, ENTRIES["command"])


@pytest.mark.parametrize(
    ("way", "trouble"),
    [
        *((way, "internal_error") for way in ENTRIES),
        *(("command", trouble) for trouble in ("slow", "ratelimited", "missing_scope")),
    ],
)
async def test_who_cannot_be_checked_is_asked_to_try_again(
    make_app: MakeApp, way: str, trouble: str
) -> None:
    entry = ENTRIES[way]
    app = with_entry(make_app, entry, TEAM, who=WhoMayStart.FULL_MEMBERS, users=USERS)
    if trouble == "slow":
        app.slow["users.info"] = 30.0
    else:
        app.fail["users.info"] = trouble
    response = await entry.send(app, Origin())
    assert response.status == 200
    if way != "home select":
        assert_nothing_happened(app, entry)
    said = [response.body, *(str(c.args) for c in app.calls)]
    assert any("could not check" in words for words in said)


async def test_slacks_word_counts_for_a_while(make_app: MakeApp) -> None:
    users = {OWNER: {"id": OWNER, "team_id": "T1"}}
    app = make_app(identity=TEAM, who=WhoMayStart.FULL_MEMBERS, users=users)
    for _ in range(3):
        await app.send(Origin().command(command("a fox")))
    assert len(app.of("users.info")) == 1
    assert len(app.store.sessions) == 3


# bots


@pytest.mark.parametrize("name", list(BOT_EVENTS))
async def test_what_bots_say_starts_nothing(make_app: MakeApp, name: str) -> None:
    entry, anyone = BOT_EVENTS[name], Policy(anyone=True)
    app = with_entry(make_app, entry, TEAM, who=WhoMayStart.ANYONE, policy=anyone)
    response = await entry.send(app, Origin())
    assert (response.status, response.body) == (200, "")
    assert_nothing_happened(app, entry)
    assert app.calls == []


@pytest.mark.parametrize(("way", "user"), crossed(["USLACKBOT", "UBOT"]))
async def test_what_slackbot_and_the_bot_itself_ask_is_acked_and_no_more(
    make_app: MakeApp, way: str, user: str
) -> None:
    entry = ENTRIES[way]
    app = with_entry(make_app, entry, TEAM, policy=Policy(anyone=True))
    response = await entry.send(app, Origin(user=user))
    assert response.status == 200
    assert_nothing_happened(app, entry)
    assert app.calls == []
