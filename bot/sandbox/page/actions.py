"""Requests of the page for what a person does. Each names the person in `as`."""

import asyncio
import base64
import binascii
import html
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bot.sandbox.delivery.delivery import Ack
from bot.sandbox.page.features import Features
from bot.sandbox.server import SimulatedSlack
from bot.sandbox.webapi.methods import Args
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.members import Channel, User
from bot.sandbox.workspace.messages import Message
from bot.sandbox.workspace.views import View
from bot.sandbox.workspace.workspace import Workspace

Action = Callable[[User, Args], Awaitable[Ack]]
_NAME = re.compile(r"(?<![\w/.])([@#])([\w-]+)")
_URL = re.compile(r"https?://[^\s<>|]+")
_EVERYONE = ("channel", "here", "everyone")
_DONE = Ack(ok=True, attempts=0)


class Actions:
    """Raises SlackError, KeyError or AssertionError for what a client couldn't do."""

    def __init__(
        self, slack: SimulatedSlack, features: Features, waits_for_answer: Callable[[], bool]
    ) -> None:
        self._slack = slack
        self._waits_for_answer = waits_for_answer
        self._workspace = slack.workspace
        self._commands = {command.command for command in features.commands}
        self._running: set[asyncio.Task[Any]] = set()
        self._table: dict[str, Action] = {
            "say": self._say, "slash": self._slash, "click": self._click, "fill": self._fill,
            "submit": self._submit, "close": self._close, "home": self._home,
            "shortcut": self._shortcut,
        }  # fmt: skip

    async def do(self, name: str, args: Args) -> Ack:
        if name not in self._table:
            raise SlackError("unknown_method")
        return await self._table[name](self._slack.user(args.text("as")), args)

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _say(self, who: User, args: Args) -> Ack:
        where = self._channel(who, args)
        files = [_file(each) for each in args.get("files") or []]
        text = as_sent(self._workspace, str(args.get("text") or ""))
        if not text and not files:
            raise SlackError("no_text")
        bot, thread = self._workspace.app.bot_user, args.optional("thread_ts")
        saying = self._slack.say(who, where, text, thread, files)
        if f"<@{bot}>" in text and bot not in where.members:
            await saying  # nobody hears of it
            words = f"<@{bot}> isn’t in this channel. Add it with `/invite @imagine`."
            self._workspace.tell(who.id, where.id, words)
        else:
            self._start(saying)
        return _DONE

    async def _slash(self, who: User, args: Args) -> Ack:
        where, command = self._channel(who, args), args.text("command")
        text = str(args.get("text") or "").strip()
        if args.optional("thread_ts"):
            words = f"`{command}` is not supported in threads. Sorry!"
        elif command == "/invite" and text.lstrip("@") == "imagine":
            words = "imagine is already in this channel."
            if self._workspace.app.bot_user not in where.members:
                self._workspace.invite_bot(where, who.id)
                return _DONE
        elif command in self._commands and self._waits_for_answer():
            words = "The bot is not running yet: first answer the question at the top of the page."
        elif command in self._commands:
            return await self._slack.slash(who, where, command, text)
        else:
            words = f"`{command}` is not a valid command."
        self._workspace.tell(who.id, where.id, words, args.optional("thread_ts"))
        return _DONE

    async def _click(self, who: User, args: Args) -> Ack:
        target = self._view(who, args) if args.optional("view") else self._message(who, args)
        action, block = args.text("action_id"), args.text("block_id")
        value = args.get("value")
        there = any(b["block_id"] == block for b in target.blocks)
        return await self._slack.click(
            who, target, action_id=action, block_id=block, value=value, stale=not there
        )

    async def _fill(self, who: User, args: Args) -> Ack:
        if not self._is_closed(args):
            self._slack.fill(who, dict(args.get("values") or {}), self._view(who, args))
        return _DONE

    async def _submit(self, who: User, args: Args) -> Ack:
        return await self._slack.submit(who, dict(args.get("values") or {}), self._view(who, args))

    async def _close(self, who: User, args: Args) -> Ack:
        if self._is_closed(args):
            return _DONE
        return await self._slack.close_view(who, self._view(who, args))

    async def _home(self, who: User, args: Args) -> Ack:
        self._start(self._slack.open_home(who))
        return _DONE

    async def _shortcut(self, who: User, args: Args) -> Ack:
        return await self._slack.shortcut(who, self._message(who, args), args.text("callback_id"))

    def _channel(self, who: User, args: Args) -> Channel:
        channel = self._workspace.channels.get(args.text("channel"))
        if channel is None or who.id not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def _message(self, who: User, args: Args) -> Message:
        channel, ts = self._channel(who, args), args.text("ts")
        for message in self._workspace.log:
            named = (message.channel, message.ts) == (channel.id, ts)
            if named and not message.deleted and message.ephemeral_to in (None, who.id):
                return message
        raise SlackError("message_not_found")

    def _is_closed(self, args: Args) -> bool:
        """Whether the view was closed while the page's last request about it was on its way."""
        return self._workspace.views.find(args.text("view"), None) is None

    def _view(self, who: User, args: Args) -> View:
        view = self._workspace.views.find(args.text("view"), None)
        if view is None or view.user != who.id:
            raise SlackError("not_found")
        return view

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run in the background: the page does not wait until an event is delivered."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def _file(sent: Any) -> tuple[str, bytes]:
    try:
        return str(sent["name"])[:255], base64.b64decode(str(sent["data"]), validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise SlackError("invalid_arguments") from None


def as_sent(workspace: Workspace, typed: str) -> str:
    """The text that a Slack client sends for a typed one: escaped, with mentions and links."""

    def linked(match: re.Match[str]) -> str:
        return _named(workspace, match[1], match[2]) or match[0]

    escaped = html.escape(typed, quote=False)
    return _URL.sub(lambda match: f"<{match[0]}>", _NAME.sub(linked, escaped))


def _named(workspace: Workspace, sign: str, name: str) -> str | None:
    if sign == "#":
        found = [c for c in workspace.channels.values() if c.name == name and not c.is_im]
        return f"<#{found[0].id}|{name}>" if found else None
    if name in _EVERYONE:
        return f"<!{name}>"
    users = [user for user in workspace.users.values() if user.name == name.lower()]
    return f"<@{users[0].id}>" if users else None
