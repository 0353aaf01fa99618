"""A person posts messages in channels, threads and direct messages, and opens the Home tab."""

import html
from collections.abc import Sequence
from typing import Any

from bot.sandbox.delivery import payloads
from bot.sandbox.delivery.delivery import SECONDS_TO_ACK, Ack, Delivery
from bot.sandbox.people.composer import as_sent
from bot.sandbox.workspace.members import Channel, User
from bot.sandbox.workspace.messages import Message
from bot.sandbox.workspace.workspace import Workspace

UserRef = User | str
ChannelRef = Channel | str
Attached = bytes | tuple[str, bytes] | tuple[str, bytes, dict[str, Any]]
"""The bytes of a file, its name, and what Slack tells of it otherwise than of such bytes."""
_NOT_IN_MENTIONS = ("files", "attachments", "upload", "display_as_bot")


class Conversations:
    """`Ack.message` is the posted message, `Ack.attempts` the number of deliveries of its event."""

    workspace: Workspace
    delivery: Delivery

    async def say(
        self,
        user: UserRef,
        channel: ChannelRef,
        text: str,
        thread_ts: str | None = None,
        files: Sequence[Attached] = (),
        timeout: float = SECONDS_TO_ACK,
        **marks: Any,
    ) -> Ack:
        """Post a message, with `text` as a client sends it: `&`, `<` and `>` escaped, mentions as
        `<@U…>`. The bot hears of direct ones, and of those that mention it where it is a member.
        `marks` are further fields of what it hears, such as the `bot_profile` of another app."""
        who, where = self.workspace.user(user), self.workspace.channel(channel)
        message = self._post(who, where, text, thread_ts, files)
        message.attachments = marks.pop("attachments", [])
        bot = self.workspace.app.bot_user
        if where.is_im:
            return await self._send_event("message", message, timeout, channel_type="im", **marks)
        if f"<@{bot}>" in text and bot in where.members:
            return await self._send_event("app_mention", message, timeout, **marks)
        return Ack(ok=True, attempts=0, message=message)

    async def write(
        self,
        user: UserRef,
        channel: ChannelRef,
        typed: str,
        thread_ts: str | None = None,
        files: Sequence[Attached] = (),
        timeout: float = SECONDS_TO_ACK,
        **marks: Any,
    ) -> Ack:
        """Post what a person types in a client: `@imagine draw @bob 🦊`. The client sends ids for
        names and short codes for emoji."""
        sent = as_sent(self.workspace, typed)
        return await self.say(user, channel, sent, thread_ts, files, timeout, **marks)

    async def mention(
        self,
        user: UserRef,
        channel: ChannelRef,
        text: str,
        thread_ts: str | None = None,
        files: Sequence[Attached] = (),
        timeout: float = SECONDS_TO_ACK,
    ) -> Ack:
        """Post a message that begins with a mention of the bot, with `text` as it is typed; not
        `ok` where the bot is no member and so hears nothing."""
        where, bot = self.workspace.channel(channel), self.workspace.app.bot_user
        sent = f"<@{bot}> {html.escape(text, quote=False)}"
        ack = await self.say(user, where, sent, thread_ts, files, timeout)
        if bot not in where.members:
            ack.ok, ack.error = False, "not_in_channel"
        return ack

    async def forward(
        self,
        user: UserRef,
        channel: ChannelRef,
        message: Message,
        text: str,
        thread_ts: str | None = None,
        timeout: float = SECONDS_TO_ACK,
    ) -> Ack:
        """Forward a message, with words of one's own that mention the bot."""
        sent = f"<@{self.workspace.app.bot_user}> {html.escape(text, quote=False)}"
        where = self.workspace.channel(channel)
        sharing = [payloads.share(self.workspace, message)]
        if where.is_im:
            sent = html.escape(text, quote=False)
        return await self.say(user, where, sent, thread_ts, (), timeout, attachments=sharing)

    async def open_home(
        self, user: UserRef, tab: str = "home", timeout: float = SECONDS_TO_ACK
    ) -> Ack:
        """Look at the bot's Home tab (`slack.home(user)` is what it shows), or at the tab
        `messages`, of which the bot hears in the same way."""
        who = self.workspace.user(user)
        home = self.workspace.views.homes.get(who.id)
        inner: dict[str, Any] = {
            "type": "app_home_opened",
            "user": who.id,
            "channel": self.workspace.direct(who.id).id,
            "tab": tab,
            "event_ts": self.workspace.clock.next_ts(),
        }
        if home and tab == "home":
            inner["view"] = payloads.view_payload(self.workspace, home)
        return await self.delivery.deliver_event(payloads.event(self.workspace, inner), timeout)

    def _post(
        self,
        who: User,
        where: Channel,
        text: str,
        thread_ts: str | None,
        files: Sequence[Attached],
    ) -> Message:
        if who.id not in where.members:
            raise AssertionError(f"{who.name} is not in {where.name}")
        root = self.workspace.find(where.id, thread_ts) if thread_ts else None
        if thread_ts and root is None:
            raise AssertionError(f"no message {thread_ts} in {where.name}")
        return self.workspace.post(
            where.id,
            who.id,
            text,
            [],
            thread_ts=(root.thread_ts or root.ts) if root else None,
            files=[self._attach(who, where, each) for each in files],
        )

    def _parent(self, message: Message) -> dict[str, str]:
        """Slack names the author of the message that a thread hangs on."""
        root = self.workspace.find(message.channel, message.thread_ts) if message.is_reply else None
        return {"parent_user_id": root.user} if root else {}

    def _attach(self, who: User, where: Channel, attached: Attached) -> str:
        named = attached if isinstance(attached, tuple) else ("image.png", attached)
        name, data, *told = named
        file = self.workspace.files.begin(name, len(data), who.id, "")
        file.data, file.ready_at = data, self.workspace.clock.now()
        file.channels.append(where.id)
        file.told = dict(told[0]) if told else {}
        file.is_stub = self.workspace.is_shared(where)
        return file.id

    async def _send_event(self, kind: str, message: Message, timeout: float, **more: Any) -> Ack:
        shared = message.files and kind == "message"
        posted = message.payload()
        if kind == "app_mention" and not self.workspace.mentions_carry_files:
            posted = {name: posted[name] for name in posted if name not in _NOT_IN_MENTIONS}
        inner = {
            **posted,
            "type": kind,
            "channel": message.channel,
            "event_ts": message.ts,
            **({"subtype": "file_share"} if shared else {}),
            **self._parent(message),
            **more,
        }
        author, place = self.workspace.user(message.user), self.workspace.channel(message.channel)
        told = payloads.authored(self.workspace, author, place, inner)
        ack = await self.delivery.deliver_event(told, timeout)
        ack.message = message
        return ack
