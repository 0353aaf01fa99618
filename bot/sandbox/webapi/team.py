"""`auth.*`, `users.*`, `bots.*`, `team.*` and `apps.connections.open`."""

from typing import Any

from bot.sandbox.webapi.chat import visible_channel
from bot.sandbox.webapi.methods import Args, method
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.members import User, home_of
from bot.sandbox.workspace.workspace import Workspace


@method("api.test")
def api_test(workspace: Workspace, args: Args) -> dict[str, Any]:
    if error := args.optional("error"):
        raise SlackError(error)
    return {"args": {key: value for key, value in args.items() if key != "token"}}


@method("auth.test")
def auth_test(workspace: Workspace, args: Args) -> dict[str, Any]:
    app = workspace.app
    return {
        "url": f"https://{app.team_domain}.slack.com/",
        "team": app.team_domain.title(),
        "user": workspace.users[app.bot_user].name,
        "team_id": app.enterprise_id if app.org_wide else app.team_id,
        "user_id": app.bot_user,
        "bot_id": app.bot_id,
        "is_enterprise_install": app.org_wide,
        **({"enterprise_id": app.enterprise_id} if app.enterprise_id else {}),
    }


@method("apps.connections.open", "connections:write", app_token=True)
def connections_open(workspace: Workspace, args: Args) -> dict[str, Any]:
    address = workspace.base_url.replace("http://", "ws://")
    ticket = workspace.tickets.socket_ticket()
    return {"url": f"{address}/link/?ticket={ticket}&app_id={workspace.app.app_id}"}


@method("bots.info", "users:read")
def bots_info(workspace: Workspace, args: Args) -> dict[str, Any]:
    app = workspace.app
    if args.get("bot", app.bot_id) != app.bot_id:
        raise SlackError("bot_not_found")
    name = workspace.users[app.bot_user].name
    bot = {"id": app.bot_id, "app_id": app.app_id, "user_id": app.bot_user, "name": name}
    return {"bot": {**bot, "deleted": False}}


@method("team.info", "team:read")
def team_info(workspace: Workspace, args: Args) -> dict[str, Any]:
    app = workspace.app
    name = app.team_domain.title()
    return {"team": {"id": app.team_id, "name": name, "domain": app.team_domain}}


def user_payload(workspace: Workspace, user: User) -> dict[str, Any]:
    team, org = home_of(workspace.app, user)
    grid = {"id": user.id, "enterprise_id": org, "teams": [team]} if org else None
    return {
        "id": user.id,
        "team_id": team,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": user.tz,
        "profile": {"real_name": user.real_name, "display_name": user.display_name or user.name},
        "is_admin": user.is_admin or user.is_owner,
        "is_owner": user.is_owner,
        "is_bot": user.is_bot,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        **({"enterprise_user": grid} if grid else {}),
    }


@method("users.info", "users:read")
def users_info(workspace: Workspace, args: Args) -> dict[str, Any]:
    user = workspace.users.get(args.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user_payload(workspace, user)}


@method("users.list", "users:read")
def users_list(workspace: Workspace, args: Args) -> dict[str, Any]:
    members = [user_payload(workspace, user) for user in workspace.users.values()]
    return {"members": members, "response_metadata": {"next_cursor": ""}}


@method("usergroups.list", "usergroups:read")
def usergroups_list(workspace: Workspace, args: Args) -> dict[str, Any]:
    team = workspace.app.team_id
    groups = [
        {"id": g.id, "team_id": team, "is_usergroup": True, "name": g.name, "handle": g.handle}
        for g in workspace.groups.values()
    ]
    return {"usergroups": groups}


@method("reactions.add", "reactions:write")
def reactions_add(workspace: Workspace, args: Args) -> dict[str, Any]:
    channel = visible_channel(workspace, args.text("channel"))
    message = workspace.find(channel.id, args.text("timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    mark = (args.text("name"), workspace.app.bot_user)
    if mark in message.reactions:
        raise SlackError("already_reacted")
    message.reactions.append(mark)
    workspace.changes.emit("message_changed", message=message.to_json())
    return {}
