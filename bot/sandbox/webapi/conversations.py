"""`conversations.*`: channels, their members and their messages."""

from typing import Any

from bot.sandbox.webapi.chat import visible_channel
from bot.sandbox.webapi.methods import Args, method
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.members import Channel
from bot.sandbox.workspace.messages import Message
from bot.sandbox.workspace.workspace import Workspace

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY_OF = {
    "public_channel": "channels:history",
    "private_channel": "groups:history",
    "im": "im:history",
    "mpim": "mpim:history",
}
_READ_OF = {kind: needed.replace("history", "read") for kind, needed in _HISTORY_OF.items()}
_HISTORY = tuple(_HISTORY_OF.values())


def channel_payload(workspace: Workspace, channel: Channel) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_private and not channel.is_im,
        "is_group": channel.is_private and not channel.is_group_direct,
        "is_im": channel.is_im,
        "is_mpim": channel.is_group_direct,
        "is_private": channel.is_private or channel.is_im,
        "is_archived": channel.is_archived,
        "is_member": workspace.app.bot_user in channel.members,
    }
    return payload | ({"user": channel.user} if channel.user else {})


@method("conversations.join", "channels:join")
def join(workspace: Workspace, args: Args) -> dict[str, Any]:
    channel = visible_channel(workspace, args.text("channel"))
    if channel.is_private or channel.is_im or not channel.joinable:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    if workspace.app.bot_user in channel.members:
        return {"channel": channel_payload(workspace, channel), "warning": "already_in_channel"}
    channel.members.add(workspace.app.bot_user)
    workspace.changes.emit("member_joined", channel=channel.id, user=workspace.app.bot_user)
    return {"channel": channel_payload(workspace, channel)}


@method("conversations.info", *_READ)
def info(workspace: Workspace, args: Args) -> dict[str, Any]:
    channel = visible_channel(workspace, args.text("channel"))
    _require(workspace, _READ_OF[_kind(channel)])
    return {"channel": channel_payload(workspace, channel)}


@method("conversations.open", "im:write")
def open_direct(workspace: Workspace, args: Args) -> dict[str, Any]:
    user = args.text("users")
    if user not in workspace.users:
        raise SlackError("user_not_found")
    channel = workspace.direct(user)
    return {"channel": {"id": channel.id}, "no_op": False, "already_open": False}


@method("conversations.list", *_READ)
def list_channels(workspace: Workspace, args: Args) -> dict[str, Any]:
    kinds = (args.optional("types") or "public_channel").split(",")
    bot = workspace.app.bot_user
    shown = [
        channel_payload(workspace, channel)
        for channel in workspace.channels.values()
        if _kind(channel) in kinds and (not channel.is_private or bot in channel.members)
    ]
    return {"channels": shown, "response_metadata": {"next_cursor": ""}}


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    if channel.is_group_direct:
        return "mpim"
    return "private_channel" if channel.is_private else "public_channel"


@method("conversations.members", *_READ)
def members(workspace: Workspace, args: Args) -> dict[str, Any]:
    channel = visible_channel(workspace, args.text("channel"))
    return {"members": sorted(channel.members), "response_metadata": {"next_cursor": ""}}


@method("conversations.history", *_HISTORY)
def history(workspace: Workspace, args: Args) -> dict[str, Any]:
    """Newest first: roots, and replies that were sent to the channel as well."""
    channel = _readable(workspace, args)
    shown = [m for m in _messages(workspace, channel) if not m.is_reply or m.subtype]
    if args.optional("oldest") and not args.optional(
        "latest"
    ):  # the pages closest to it come first
        page = _page(shown, args, workspace.most_per_page)
        return {**page, "messages": page["messages"][::-1]}
    return _page(shown[::-1], args, workspace.most_per_page)


@method("conversations.replies", *_HISTORY)
def replies(workspace: Workspace, args: Args) -> dict[str, Any]:
    """Oldest first: the root, then its replies."""
    channel = _readable(workspace, args)
    root = workspace.find(channel.id, args.text("ts"))
    if root is None:
        raise SlackError("thread_not_found")
    ts = root.thread_ts or root.ts
    thread = [m for m in _messages(workspace, channel) if ts in (m.ts, m.thread_ts)]
    return _page(thread, args, workspace.most_per_page, always=ts)


def _readable(workspace: Workspace, args: Args) -> Channel:
    channel = visible_channel(workspace, args.text("channel"))
    if workspace.app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    _require(workspace, _HISTORY_OF[_kind(channel)])
    return channel


def _require(workspace: Workspace, needed: str) -> None:
    """A scope for this kind of conversation."""
    scopes = workspace.scopes
    if scopes is not None and needed not in scopes:
        raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(scopes)))


def _messages(workspace: Workspace, channel: Channel) -> list[Message]:
    visible = [m for m in workspace.log if not m.deleted and not m.ephemeral_to]
    return [m for m in visible if m.channel == channel.id]


def _page(messages: list[Message], args: Args, most: int, always: str = "") -> dict[str, Any]:
    """One page; the cursor is the number of messages before it. The message `always` is on it,
    whatever the bounds are: the root of a thread. Equal bounds hold nothing at all. Some apps get
    few messages at a time, whatever they ask for."""
    oldest, latest = args.optional("oldest") or "0", args.optional("latest") or "9" * 10
    bounds = {float(oldest), float(latest)} if args.flag("inclusive") else set()

    def is_inside(message: Message) -> bool:
        at = float(message.ts)
        return float(oldest) < at < float(latest) or at in bounds or message.ts == always

    inside = [m for m in messages if oldest != latest and is_inside(m)]
    start, limit = args.number("cursor", 0), min(args.number("limit", 100), most)
    more = start + limit < len(inside)
    return {
        "messages": [m.payload() for m in inside[start : start + limit]],
        "has_more": more,
        "response_metadata": {"next_cursor": str(start + limit) if more else ""},
    }
