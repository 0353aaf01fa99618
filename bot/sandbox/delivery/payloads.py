"""The payloads that tell the bot what a person did."""

import itertools
import time
from typing import Any

from bot.sandbox.workspace.members import Channel, User, home_of, is_external
from bot.sandbox.workspace.messages import Message
from bot.sandbox.workspace.views import View
from bot.sandbox.workspace.workspace import Workspace

Payload = dict[str, Any]
_numbers = itertools.count(1)


def slash_command(
    workspace: Workspace, user: User, channel: Channel, command: str, text: str
) -> Payload:
    """All values are strings, as in a form. The text is as typed, not escaped."""
    app, (team, org) = workspace.app, home_of(workspace.app, user)
    return {
        "token": app.verification_token,
        "team_id": team,
        "team_domain": app.team_domain,
        **({"enterprise_id": org, "enterprise_name": org.title()} if org else {}),
        "channel_id": channel.id,
        "channel_name": _channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": app.app_id,
        "is_enterprise_install": "true" if app.org_wide else "false",
        "response_url": _response_url(workspace, user, channel.id),
        "trigger_id": workspace.tickets.trigger(user.id),
    }


def message_click(
    workspace: Workspace, user: User, message: Message, action: Payload, state: Payload
) -> Payload:
    channel = workspace.channel(message.channel)
    thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    shown: Payload = {} if message.ephemeral_to else {"message": message.payload()}
    return {
        **_interaction(workspace, user, "block_actions"),
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.ephemeral_to is not None,
            **thread,
        },
        "trigger_id": workspace.tickets.trigger(user.id),
        "channel": {"id": channel.id, "name": channel.name},
        **shown,
        "state": {"values": state},
        "response_url": _response_url(workspace, user, channel.id, message.thread_ts, message.ts),
        "actions": [action],
    }


def view_click(workspace: Workspace, user: User, view: View, action: Payload) -> Payload:
    return {
        **_interaction(workspace, user, "block_actions"),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": workspace.tickets.trigger(user.id, view.id if view.type == "modal" else None),
        "view": view_payload(workspace, view),
        "actions": [action],
    }


def action(block: Payload, element: Payload, value: str | None) -> Payload:
    """The pressed element. `value` replaces the button's own."""
    told = ("action_id", "type", "text", "style", "placeholder", "initial_option")
    kept: Payload = {key: element[key] for key in told if key in element}
    own = element.get("value") if value is None else value
    pressed: Payload = {**kept, "block_id": block["block_id"], "action_ts": f"{time.time():.6f}"}
    if own is not None:
        pressed["value"] = own
    return pressed


def view_submission(workspace: Workspace, user: User, view: View) -> Payload:
    return {
        **_interaction(workspace, user, "view_submission", own_team=True),
        "trigger_id": workspace.tickets.trigger(user.id, view.id),
        "view": view_payload(workspace, view),
        "response_urls": [],
    }


def view_closed(workspace: Workspace, user: User, view: View, *, cleared: bool) -> Payload:
    closed = {"view": view_payload(workspace, view), "is_cleared": cleared}
    return {**_interaction(workspace, user, "view_closed"), **closed}


def message_shortcut(
    workspace: Workspace, user: User, message: Message, callback_id: str
) -> Payload:
    channel = workspace.channel(message.channel)
    return {
        **_interaction(workspace, user, "message_action"),
        "callback_id": callback_id,
        "trigger_id": workspace.tickets.trigger(user.id),
        "action_ts": f"{time.time():.6f}",
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.name},
        "message": message.payload(),
        "response_url": _response_url(workspace, user, channel.id, message.thread_ts),
    }


def global_shortcut(workspace: Workspace, user: User, callback_id: str) -> Payload:
    return {
        **_interaction(workspace, user, "shortcut"),
        "callback_id": callback_id,
        "trigger_id": workspace.tickets.trigger(user.id),
        "action_ts": f"{time.time():.6f}",
    }


def authored(workspace: Workspace, author: User, channel: Channel, inner: Payload) -> Payload:
    """The event of a person's message.

    `message` names its author's team. `app_mention` names the team of the installation, and beside
    it that of an external author.
    """
    team, org = home_of(workspace.app, author)
    shared = workspace.is_shared(channel)
    if inner["type"] != "app_mention":
        return event(workspace, {**inner, "team": team}, (team, org), shared=shared)
    told: Payload = {"team": workspace.app.team_id}
    if is_external(workspace.app, author):
        told |= {"user_team": org or team, "source_team": org or team}
        told |= {"user_profile": {"name": author.name, "team": org or team}}
    return event(workspace, {**inner, **told}, shared=shared)


def event(
    workspace: Workspace,
    inner: Payload,
    home: tuple[str, str] | None = None,
    *,
    shared: bool = False,
) -> Payload:
    """`home`: the workspace and the organisation that the event names."""
    app = workspace.app
    team, org = home or (app.team_id, app.enterprise_id)
    authorization = {
        "enterprise_id": app.enterprise_id or None,
        "team_id": None if app.org_wide else app.team_id,
        "user_id": app.bot_user,
        "is_bot": True,
        "is_enterprise_install": app.org_wide,
    }
    return {
        "token": app.verification_token,
        "team_id": team,
        **({"enterprise_id": org} if org else {}),
        "context_team_id": app.team_id,
        "context_enterprise_id": app.enterprise_id or None,
        "api_app_id": app.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": f"Ev{next(_numbers):08d}",
        "event_time": int(workspace.clock.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": shared,
    }


def view_payload(workspace: Workspace, view: View) -> Payload:
    app = workspace.app
    return view.payload(app.team_id, app.app_id, app.bot_id)


def _channel_name(channel: Channel) -> str:
    """As commands name it: only public channels and group direct messages have their own."""
    if channel.is_im or channel.is_between_people:
        return "directmessage"
    private = channel.is_private and not channel.is_group_direct
    return "privategroup" if private else channel.name


def _interaction(workspace: Workspace, user: User, kind: str, *, own_team: bool = False) -> Payload:
    """`own_team`: name an external user's own team, not that of the installation."""
    app, (team, org) = workspace.app, home_of(workspace.app, user)
    person = {"id": user.id, "username": user.name, "name": user.name, "team_id": org or team}
    if is_external(workspace.app, user) and not own_team:
        team, org = app.team_id, app.enterprise_id
    return {
        "type": kind,
        "user": person,
        "api_app_id": app.app_id,
        "token": app.verification_token,
        "team": {"id": team, "domain": app.team_domain},
        "enterprise": {"id": org, "name": org.title()} if org else None,
        "is_enterprise_install": app.org_wide,
    }


def _response_url(
    workspace: Workspace,
    user: User,
    channel: str,
    thread_ts: str | None = None,
    message_ts: str | None = None,
) -> str:
    made = workspace.tickets.response_url(user.id, channel, thread_ts, message_ts)
    return f"{workspace.base_url}/response/{made.id}"


def share(workspace: Workspace, message: Message) -> dict[str, Any]:
    """The attachment in which a message holds another one that it forwards."""
    posted = message.payload()
    found = {
        "is_msg_unfurl": True,
        "is_share": True,
        "ts": message.ts,
        "channel_id": message.channel,
        "channel_team": workspace.app.team_id,
        "author_id": message.user,
        "from_url": f"{workspace.base_url}/archives/{message.channel}/p{message.ts}",
        "fallback": message.shown_text,
        "text": message.text,
        "id": 1,
    }
    found |= {name: posted[name] for name in ("files",) if name in posted}
    if message.blocks:
        place = {"team": workspace.app.team_id, "channel": message.channel, "ts": message.ts}
        found["message_blocks"] = [{**place, "message": {"blocks": message.blocks}}]
    return found
