"""Where requests come from: an entry's payload, dressed as Slack sends it for somebody's.

The bot is installed in the workspace T1; with `ORG` in the organisation E1, which T1 and T2 are of.
T9 and E9 are others.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.response import BoltResponse

from bot.domain.attempt import ImageRef
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.slack.identity import Identity
from bot.views import ids
from bot.views.blocks import Target
from bot.views.source_pictures import Picture, SourcePictures
from tests.fakes import CHANNEL, ID, OWNER, a_session, generating
from tests.scenario.payloads import (
    BOT,
    WORKSPACE,
    Payload,
    click,
    command,
    direct,
    home_click,
    interaction,
    mention,
    picture,
    shortcut,
    signed,
    submission,
)
from tests.scenario.slack_app import SlackApp

SCOPES = frozenset({"chat:write", "users:read", "files:read"})
TEAM = Identity("T1", "B1", BOT, "imagine", SCOPES, WORKSPACE, app_id="A1")
IN_ORG = Identity("T1", "B1", BOT, "imagine", SCOPES, WORKSPACE, "E1", app_id="A1")
ORG = Identity("E1", "B1", BOT, "imagine", SCOPES, WORKSPACE, "E1", org_wide=True, app_id="A1")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Origin:
    """`team` and `org` are the actor's. `via` is the installation that the request is for, as the
    team and organisation that it names; `shared`: it happens in a channel that is shared with
    another organisation."""

    team: str = "T1"
    org: str = ""
    user: str = OWNER
    via: tuple[str, str] = ("T1", "")
    shared: bool = False
    app: str = "A1"

    @property
    def whole_org(self) -> bool:
        return self.via[0].startswith("E")

    def command(self, payload: Payload) -> Payload:
        org = {"enterprise_id": self.org, "enterprise_name": "Org"} if self.org else {}
        whole = "true" if self.whole_org else "false"
        app = {"api_app_id": self.app, "is_enterprise_install": whole}
        team = self.team if self.whole_org else self.via[0]
        return {**payload, "user_id": self.user, "team_id": team, **org, **app}

    def interaction(self, payload: Payload) -> Payload:
        """In somebody else's modal Slack names the actor's team, and beside it where the app is
        installed. Elsewhere `team` is the installation's, or the actor's own of the same
        organisation."""
        modal = payload["type"] == "view_submission"
        own_org = self.org and self.org == self.via[1]
        team, org = (self.team, self.org) if modal or own_org else self.via
        dressed = {
            **payload,
            "api_app_id": self.app,
            "team": {"id": team, "domain": "d"},
            "enterprise": {"id": org, "name": "Org"} if org else None,
            "is_enterprise_install": self.whole_org,
            "user": {**payload["user"], "id": self.user, "team_id": self.org or self.team},
        }
        if modal:
            installed = self.team if self.whole_org and own_org else self.via[0]
            view = {"team_id": self.team, "app_installed_team_id": installed}
            dressed["view"] = {**payload["view"], **view}
        return dressed

    def event(self, inner: Payload) -> Payload:
        """`app_mention` names the installation and, of a stranger, whose they are; `message` names
        the author's team, and beside it the installation's."""
        outside = self.shared and (self.team, self.org) != self.via
        team, org = self.via if self.via != ("E1", "E1") else (self.team, self.org)
        if inner["type"] == "app_home_opened":
            inner = {**inner, "user": self.user}  # which is in no channel
        elif inner["type"] == "app_mention":
            theirs = self.org or self.team
            profile = {"team": theirs, "name": "bo"}
            told = {"user_team": theirs, "source_team": theirs, "user_profile": profile}
            inner = {**inner, "user": self.user, "team": team, **(told if outside else {})}
        else:
            inner = {**inner, "user": self.user, "team": self.team}
            team, org = self.team, self.org
        return {
            "type": "event_callback",
            "api_app_id": self.app,
            "team_id": team,
            **({"enterprise_id": org} if org else {}),
            "context_team_id": None if self.whole_org else self.via[0],
            "context_enterprise_id": self.via[1] or None,
            "authorizations": [
                {
                    "team_id": None if self.whole_org else self.via[0],
                    "enterprise_id": self.via[1] or None,
                    "user_id": BOT,
                    "is_bot": True,
                    "is_enterprise_install": self.whole_org,
                }
            ],
            "event": inner,
            "event_id": f"Ev{next(_numbers)}",
            "event_time": 1,
            "is_ext_shared_channel": self.shared and "tab" not in inner,
        }


Send = Callable[[SlackApp, Origin], Awaitable[BoltResponse]]


def by_command(text: str) -> Send:
    return lambda app, origin: app.send(origin.command(command(text)))


def by_interaction(make: Callable[[], Payload]) -> Send:
    return lambda app, origin: app.send(interaction(origin.interaction(make())))


def by_event(make: Callable[[], Payload]) -> Send:
    def send(app: SlackApp, origin: Origin) -> Awaitable[BoltResponse]:
        return app.dispatch(signed(json.dumps(origin.event(make())), "application/json"))

    return send


def home() -> Payload:
    return {"type": "app_home_opened", "user": OWNER, "channel": "D1", "tab": "home"}


VALUE, FORM = f"{ID}#1", str(Target(ID, ImageRef(0)))
PICTURES = SourcePictures(
    CHANNEL, "", "5.5", (Picture("F9", "image/png", 2_000, "F9.png"),)
).to_metadata()
DRAFT, FINAL = a_session(attempts=1), a_session(Stage.FINAL, final_ts="9.0")
WAITING = a_session(Stage.INITIAL_INPUT)


@dataclass(frozen=True)
class Entry:
    """A way in: what the person does, and the session that there is before."""

    send: Send
    before: Session | None = None
    starts: bool = False
    changes: bool = False


def _click(action: str) -> Callable[[], Payload]:
    return lambda: click(action, VALUE) | {"actions": [_action(action)]}


def _action(action: str) -> dict[str, Any]:
    pressed = {"type": "button", "action_id": action, "block_id": "b", "value": VALUE}
    return {**pressed, "action_ts": f"{next(_numbers)}.1"}


def _form(name: str, metadata: str = VALUE) -> Callable[[], Payload]:
    return lambda: submission(name, metadata, "a cat")


ENTRIES: dict[str, Entry] = {
    "command": Entry(by_command("a fox"), starts=True),
    "command for a form": Entry(by_command(""), starts=True),
    "mention": Entry(by_event(lambda: mention("a fox")), starts=True),
    "direct message": Entry(by_event(lambda: direct("a fox")), starts=True),
    "words in a thread": Entry(
        by_event(lambda: mention("make it night", thread_ts="1.0")), DRAFT, changes=True
    ),
    "cancel in a thread": Entry(
        by_event(lambda: mention("cancel", thread_ts="1.0")), generating(), changes=True
    ),
    "approve": Entry(by_interaction(_click(ids.APPROVE)), DRAFT, changes=True),
    "regenerate": Entry(by_interaction(_click(ids.REGENERATE)), DRAFT, changes=True),
    "cancel": Entry(by_interaction(_click(ids.CANCEL)), generating(), changes=True),
    "refine": Entry(by_interaction(_click(ids.REFINE)), DRAFT),
    "edit prompt": Entry(by_interaction(_click(ids.EDIT_PROMPT)), DRAFT),
    "start over": Entry(by_interaction(_click(ids.START_OVER)), FINAL, starts=True),
    "prompt form": Entry(by_interaction(_form(ids.PROMPT_FORM, FORM)), WAITING, changes=True),
    "refine form": Entry(by_interaction(_form(ids.REFINE_FORM)), DRAFT, changes=True),
    "edit form": Entry(by_interaction(_form(ids.EDIT_FORM)), DRAFT, changes=True),
    "image form": Entry(by_interaction(_form(ids.IMAGE_FORM, PICTURES)), starts=True),
    "shortcut": Entry(by_interaction(lambda: shortcut({"files": [picture()]}))),
    "home": Entry(by_event(home)),
    "home select": Entry(
        by_interaction(lambda: home_click(f"{ids.DEFAULT_OPTION}_count", selected="2"))
    ),
}


def _said(make: Callable[..., Payload], **marks: Any) -> Entry:
    return Entry(by_event(lambda: make("a fox", **marks)))


_PROFILE = {"id": "B9", "app_id": "A9", "name": "other", "team_id": "T1"}
_BOTS: dict[str, dict[str, Any]] = {
    "bot_id": {"bot_id": "B9"},
    "only bot_profile": {"bot_profile": _PROFILE},
    "our own bot_id": {"bot_id": "B1"},
    "bot_message": {"subtype": "bot_message", "username": "other"},
    "an app in a person's name": {"app_id": "A9"},
    "a workflow": {"bot_id": "B9", "workflow_id": "Wf1", "bot_profile": _PROFILE},
    "a file as a bot": {"subtype": "file_share", "display_as_bot": True},
    "an edit": {"subtype": "message_changed"},
}
BOT_EVENTS = {
    f"{way}: {name}": _said(make, **marks)
    for way, make in {"mention": mention, "direct message": direct}.items()
    for name, marks in _BOTS.items()
} | {
    "words in a thread: bot_profile": replace(
        _said(mention, thread_ts="1.0", bot_profile=_PROFILE), before=DRAFT
    ),
}
