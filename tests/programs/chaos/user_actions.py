"""One thing that a person does, with its answer, written into the journal."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from bot.sandbox import Ack, Channel, Message, User, View
from tests.programs.chaos.message_index import ASKED
from tests.programs.chaos.plan import Visit
from tests.programs.chaos.world import World

_READS = 0.5
"""Seconds in which a person reads what they are told in private."""
_FORM_WITHIN = 5.0
AGAIN = ("again in a minute", "Please try again", "say it again")
"""What the bot says where nothing, or perhaps nothing, has been kept."""
TAKEN = "Got it"
"""What the bot says where a command has been kept, and its first message has to wait."""

_HANDS: WeakKeyDictionary[World, dict[str, asyncio.Lock]] = WeakKeyDictionary()


class UserActions:
    """Each method answers whether it was taken, as far as the person can tell by then."""

    def __init__(self, world: World, visit: Visit, user: User, channel: Channel) -> None:
        self._world = world
        self._slack = world.slack
        self._visit = visit
        self._user = user
        self._channel = channel

    async def slash(self, text: str, what: str = "slash") -> bool:
        """Type the command."""
        began = time.time()
        ack = await self._slack.slash(self._user, self._channel, "/imagine", text)
        self._note(what, ack, began, words=_asked(text), refused=refuses(ack))
        return ack.ok and not refuses(ack) and not await self._told_again(began, ack)

    async def mention(
        self, text: str, thread_ts: str | None = None, session_id: str = "", number: int = 0
    ) -> bool:
        """Say something to the bot, in the channel or in a thread."""
        began = time.time()
        ack = await self._slack.mention(self._user, self._channel, text, thread_ts)
        facts = {"session": session_id, "number": number} if session_id else {}
        what = "say" if session_id else "mention"
        self._note(what, ack, began, words=_asked(text), event=True, **facts)
        return ack.ok and not await self._told_again(began, ack)

    async def click(
        self,
        user: User,
        message: Message,
        label: str,
        session_id: str,
        number: int,
        *,
        stale: bool = False,
        opens: bool = False,
    ) -> bool:
        """Press a button; one that is gone by now is not there to be pressed."""
        began = time.time()
        try:
            ack = await self._slack.click(user, message, label, stale=stale)
        except AssertionError:
            return True
        by = "owner" if user is self._user else "stranger"
        self._note(
            label, ack, began, user=user.id, by=by, session=session_id, number=number,
            opens=opens, stale=stale,
        )  # fmt: skip
        return ack.ok and not await self._told_again(began, ack, user)

    async def form(
        self, opening: Callable[[], Awaitable[bool]], text: str, *, metadata: str
    ) -> bool:
        """Open a form and submit it, as often as the form itself asks for that. A person has one
        form open at a time."""
        hands = _HANDS.setdefault(self._world, defaultdict(asyncio.Lock))[self._user.id]
        async with hands:
            before = self._slack.open_view(self._user)
            if not await opening():
                return False
            view = await self._opened(before, metadata)
            return view is not None and await self._submit(view, text)

    async def _opened(self, before: View | None, metadata: str) -> View | None:
        deadline = time.time() + _FORM_WITHIN
        while time.time() < deadline:
            view = self._slack.open_view(self._user)
            if view and view is not before and metadata in view.private_metadata:
                return view
            await asyncio.sleep(0.1)
        return None

    async def _submit(self, view: View, text: str) -> bool:
        for _ in range(5):
            if not (view.open and self._world.open()):
                return False
            began = time.time()
            ack = await self._slack.submit(self._user, {"prompt": text}, view)
            session_id, _, number = view.private_metadata.partition("#")
            self._note(
                "submit", ack, began, words=_asked(text), view=view.id, form=view.callback_id,
                session=session_id, number=int(number.split(".")[0] or 0),
                refused=bool(ack.errors), errors=list(ack.errors.values()),
            )  # fmt: skip
            if ack.ok and not ack.errors:
                return True
            await asyncio.sleep(1.5)
        if view.open:
            await self._slack.close_view(self._user, view)
        return False

    def _note(self, what: str, ack: Ack, began: float, **facts: object) -> None:
        self._world.journal.add(
            "act", what, at=began, seconds=max(0.001, time.time() - began), visit=self._visit.word,
            ok=ack.ok, ack=round(ack.seconds, 4), error=ack.error, status=ack.status,
            **{"user": self._user.id, "channel": self._channel.id, "by": "owner", **facts},
        )  # fmt: skip

    async def _told_again(self, since: float, ack: Ack, user: User | None = None) -> bool:
        """Whether the bot, or Slack, has told the person by now that it may not have counted."""
        await asyncio.sleep(_READS)
        said = self._world.message_index.told((user or self._user).id, since)
        return any(words in m.shown_text for m in said for words in AGAIN)


def refuses(ack: Ack) -> bool:
    """Whether the answer to a command says that it was not taken."""
    return bool(ack.body) and TAKEN not in str(ack.body)


def _asked(text: str) -> str:
    found = ASKED.findall(text)
    return found[-1] if found else ""
