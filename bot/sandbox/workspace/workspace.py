"""The state of one simulated workspace: people, channels, messages, files, views."""

import itertools
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bot.sandbox.workspace.changes import Changes
from bot.sandbox.workspace.clock import Clock
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.files import File, Files
from bot.sandbox.workspace.markup import is_broadcast
from bot.sandbox.workspace.members import App, Channel, Group, User, is_external
from bot.sandbox.workspace.messages import (
    SLACKBOT,
    Block,
    Message,
    Snapshot,
    as_stored,
    slack_file_ids,
)
from bot.sandbox.workspace.tickets import Tickets
from bot.sandbox.workspace.views import Views


class Workspace:
    """All state, and the few ways in which it changes. Every change is emitted on `changes`.

    `mentions_carry_files`: whether the event of a mention holds the message's files, on which
    reports of the real Slack differ.
    """

    def __init__(self, scopes: set[str] | None, file_ready_after: float) -> None:
        self.app = App()
        self.scopes = scopes
        self.clock = Clock()
        self.changes = Changes()
        self.files = Files(self.clock, file_ready_after, self.app.team_id)
        self.views = Views()
        self.tickets = Tickets(self.clock)
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.log: list[Message] = []
        self.violations: list[str] = []
        self.most_per_page = 1000
        self.mentions_carry_files = False
        self.ids: Iterator[int] = itertools.count(1)
        _furnish(self)

    @property
    def base_url(self) -> str:
        return self.files.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.files.base_url = url

    # people and places

    def add_user(self, name: str, real_name: str = "", is_bot: bool = False, **more: Any) -> User:
        """`more` are further fields of User."""
        user = User(_id_of("U", name), name, real_name or name.title(), is_bot, **more)
        self.users[user.id] = user
        return user

    def add_channel(
        self, name: str, *, private: bool = False, bot: bool = True, user: str | None = None
    ) -> Channel:
        letter = "D" if user else "C"
        people = {user} if user else {u.id for u in self.users.values() if not u.is_bot}
        members = people | ({self.app.bot_user} if bot else set())
        channel = Channel(_id_of(letter, name), name, private, members, user)
        self.channels[channel.id] = channel
        return channel

    def add_direct(self, *people: str) -> Channel:
        """A direct conversation of these people, by name: two, or a group. It takes no apps."""
        group, members = len(people) > 2, {self.user(name).id for name in people}
        name = f"mpdm-{'--'.join(people)}-1" if group else f"direct-{'-'.join(people)}"
        channel = Channel(_id_of("C" if group else "D", name), name, True, members)
        self.channels[channel.id] = channel
        return channel

    def add_group(self, name: str, handle: str) -> Group:
        group = Group(_id_of("S", handle), name, handle)
        self.groups[group.id] = group
        return group

    def user(self, ref: User | str) -> User:
        """A user by id or name."""
        wanted = ref.id if isinstance(ref, User) else ref.lstrip("@")
        for user in self.users.values():
            if wanted in (user.id, user.name):
                return user
        raise KeyError(f"no user {wanted!r}")

    def channel(self, ref: Channel | str) -> Channel:
        """A channel by id or name."""
        wanted = ref.id if isinstance(ref, Channel) else ref.lstrip("#")
        for channel in self.channels.values():
            if wanted in (channel.id, channel.name):
                return channel
        raise KeyError(f"no channel {wanted!r}")

    def direct(self, user: str) -> Channel:
        """The direct conversation of a user with the bot."""
        for channel in self.channels.values():
            if channel.user == user:
                return channel
        return self.add_channel(self.users[user].name, user=user)

    def invite_bot(self, channel: Channel, by: str) -> None:
        """A person adds the bot to a channel."""
        channel.members.add(self.app.bot_user)
        self.changes.emit("member_joined", channel=channel.id, user=self.app.bot_user)
        self.post(channel.id, self.app.bot_user, f"was added by <@{by}>", [], joined=True)

    def is_shared(self, channel: Channel) -> bool:
        """Whether users of another organisation are members."""
        members = [self.users[each] for each in channel.members if each in self.users]
        return any(is_external(self.app, user) for user in members)

    def bot_sees(self, file_id: str) -> File | None:
        """A file that the bot may know of: its own, or shared where it is a member."""
        file, bot = self.files.get(file_id), self.app.bot_user
        if file is None or not file.completed:
            return None
        shared = [self.channels[place] for place in file.channels if place in self.channels]
        seen = file.user == bot or any(bot in channel.members for channel in shared)
        return file if seen else None

    # messages

    def find(self, channel: str, ts: str | None) -> Message | None:
        """A message that is still there and that everyone in the channel sees."""
        for message in reversed(self.log):
            if (message.channel, message.ts) == (channel, ts) and not message.ephemeral_to:
                return None if message.deleted else message
        return None

    def root_of(self, channel: str, thread_ts: str) -> Message:
        """The message that a thread hangs on; a reply stands for its own thread's root."""
        named = self.find(channel, thread_ts)
        if named is None:
            raise SlackError("thread_not_found")
        if not named.is_reply:
            return named
        self.violate(f"thread_ts {thread_ts} is a reply, not the root of a thread")
        return self.root_of(channel, str(named.thread_ts))

    def post(self, channel: str, user: str, text: str, blocks: list[Block], **more: Any) -> Message:
        """Add a message; `more` are further fields of Message."""
        stored = as_stored(blocks, self.files, self.ids)
        message = Message(
            channel, self.clock.next_ts(), user, text, stored, _files=self.files, **more
        )
        if user == self.app.bot_user:
            message.bot_id = self.app.bot_id
            self._check_pings(message)
        self.log.append(message)
        kind = "ephemeral" if message.ephemeral_to else "message"
        self.changes.emit(kind, message=message.to_json())
        return message

    def edit(self, message: Message, text: str, blocks: list[Block] | None) -> None:
        """Change a message; `blocks` None keeps those that it has. A new file shows broken."""
        if blocks is not None:
            had = set(message.image_ids())
            swapped = sorted(set(slack_file_ids(blocks)) - had)
            if swapped:
                self.violate(
                    f"an update of {message.ts} put in slack_file {swapped}: it shows broken"
                )
            message.broken |= set(swapped)
            message.blocks = as_stored(blocks, self.files, self.ids)
        message.text = text
        message.edits.append(Snapshot(message.text, message.blocks, self.clock.now()))
        self._check_pings(message)
        self.changes.emit("message_changed", message=message.to_json())

    def delete(self, message: Message) -> None:
        message.deleted = True
        self.changes.emit("message_deleted", message=message.to_json())

    def tell(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Slackbot says something that only `user` sees."""
        return self.post(channel, SLACKBOT, text, [], ephemeral_to=user, thread_ts=thread_ts)

    # what the bot did wrong

    def violate(self, what: str) -> None:
        self.violations.append(what)
        self.changes.emit("violation", what=what)

    def _check_pings(self, message: Message) -> None:
        for ping in filter(is_broadcast, message.pings()):
            self.violate(f"message {message.ts} pings everyone: {ping}")

    def to_json(self) -> dict[str, Any]:
        """The whole state, for a page that opens now."""
        stacks = self.views.stacks
        return {
            "team": {"id": self.app.team_id, "domain": self.app.team_domain},
            "bot_user": self.app.bot_user,
            "users": [asdict(user) for user in self.users.values()],
            "channels": [
                {**asdict(c), "members": sorted(c.members)} for c in self.channels.values()
            ],
            "messages": [message.to_json() for message in self.log if not message.deleted],
            "views": {user: [v.to_json() for v in stack] for user, stack in stacks.items()},
            "homes": {user: view.to_json() for user, view in self.views.homes.items()},
        }


def _id_of(letter: str, name: str) -> str:
    word = "".join(c for c in name.upper() if c.isascii() and c.isalnum())
    return f"{letter}0{word:0<8}"


def _furnish(workspace: Workspace) -> None:
    """The people and channels that every new workspace has."""
    app = workspace.app
    workspace.users[app.bot_user] = User(app.bot_user, "imagine", "Imagine", is_bot=True)
    for name in ("alice", "bob", "carol"):
        workspace.add_user(name)
    workspace.add_channel("general")
    workspace.add_channel("design")
    workspace.add_channel("outsiders", bot=False)
    workspace.add_channel("secret", private=True, bot=False)
