"""Reads the workspace for tests and pages, and waits for changes."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from bot.sandbox.workspace.changes import Change
from bot.sandbox.workspace.members import Channel, User
from bot.sandbox.workspace.messages import Message
from bot.sandbox.workspace.workspace import Workspace

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds to wait for what should come. The slowest machine that runs the tests sets it."""


class Observer:
    workspace: Workspace

    def user(self, ref: User | str) -> User:
        return self.workspace.user(ref)

    def channel(self, ref: Channel | str) -> Channel:
        return self.workspace.channel(ref)

    def direct(self, user: User | str) -> Channel:
        """The direct conversation of a user with the bot."""
        return self.workspace.direct(self.user(user).id)

    def messages(self, channel: Channel | str, thread_ts: str | None = None) -> list[Message]:
        """The root messages of a channel, or the replies in a thread, oldest first."""
        there = self._in_channel(channel)
        if thread_ts is None:
            return [m for m in there if not m.is_reply]
        return [m for m in there if m.is_reply and m.thread_ts == thread_ts]

    def timeline(self, channel: Channel | str) -> list[Message]:
        """What the channel shows outside of threads: roots, and replies sent to it as well."""
        return [m for m in self._in_channel(channel) if not m.is_reply or m.subtype]

    def message(self, channel: Channel | str, ts: str) -> Message:
        found = self.workspace.find(self.channel(channel).id, ts)
        if found is None:
            raise KeyError(f"no message {ts}")
        return found

    def ephemerals(self, user: User | str, channel: Channel | str | None = None) -> list[Message]:
        """What only this user sees, oldest first; Slackbot's error messages included."""
        who = self.user(user).id
        where = self.channel(channel).id if channel else None
        mine = [m for m in self.workspace.log if m.ephemeral_to == who and not m.deleted]
        return [m for m in mine if where in (None, m.channel)]

    async def wait_for(
        self,
        predicate: Callable[[], Awaitable[T | None] | T | None],
        timeout: float = PATIENCE,
        what: str = "something",
    ) -> T:
        """The first truthy value of a function, which is tried again after every change."""
        found = await self.workspace.changes.until(predicate, timeout)
        if not found:
            raise AssertionError(f"waited {timeout} s in vain for {what}\n{self.describe()}")
        return found

    async def wait_for_message(
        self,
        channel: Channel | str,
        thread_ts: str | None = None,
        *,
        button: str | None = None,
        text: str | None = None,
        image: bool | None = None,
        where: Callable[[Message], bool] = lambda message: True,
        after: Message | str | None = None,
        timeout: float = PATIENCE,
    ) -> Message:
        """The newest message in a thread (or root) that has this button, these words, an image."""
        since = after.ts if isinstance(after, Message) else after or "0"

        def fits(m: Message) -> bool:
            return (
                (button is None or any(button.casefold() in b.casefold() for b in m.buttons()))
                and (text is None or text in f"{m.text}\n{m.shown_text}")
                and (image is None or bool(m.image_ids() + m.files) is image)
                and float(m.ts) > float(since)
                and where(m)
            )

        def newest() -> Message | None:
            return next((m for m in reversed(self.messages(channel, thread_ts)) if fits(m)), None)

        wanted = {"button": button, "text": text, "image": image, "thread_ts": thread_ts}
        what = ", ".join(f"{key} {value!r}" for key, value in wanted.items() if value is not None)
        return await self.wait_for(newest, timeout, f"a message in {channel!r} with {what}")

    def subscribe(self) -> AsyncIterator[Change]:
        """Every change from now on, as a dict with `type` and `at`."""
        return self.workspace.changes.subscribe()

    def describe(self) -> str:
        """The state in words, for the message of a failed test."""
        lines = [_line(m) for m in self.workspace.log]
        for user, stack in self.workspace.views.stacks.items():
            lines += [f"modal of {user}: {view.title!r} errors {view.errors}" for view in stack]
        lines += [f"violation: {what}" for what in self.workspace.violations]
        return "\n".join(["the workspace:", *lines])

    def _in_channel(self, channel: Channel | str) -> list[Message]:
        where = self.channel(channel).id
        return [
            m for m in self.workspace.log
            if m.channel == where and not m.deleted and not m.ephemeral_to
        ]  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        state = self.workspace.to_json()
        json.dumps(state)
        return state


def _line(m: Message) -> str:
    marks = [f"in {m.thread_ts}" if m.is_reply else "", m.subtype or "", "deleted" * m.deleted]
    marks += [f"only for {m.ephemeral_to}" if m.ephemeral_to else "", f"edited {len(m.edits)}x"]
    shown = m.shown_text.replace("\n", " | ")[:160]
    place = " ".join(mark for mark in marks if mark)
    return f"{m.channel} {m.ts} {m.user} ({place}): {shown!r} {m.buttons()} {m.image_ids()}"
