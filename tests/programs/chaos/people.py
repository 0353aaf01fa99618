"""What a person does: one visit, from the first word to the last click.

Whoever is told to try again does, whoever gets no answer repeats it, and whoever sees no change
presses once more; until the closing time, when everybody goes home.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bot.sandbox import Message, User
from tests.programs.chaos.message_index import ASKED
from tests.programs.chaos.observer import Observer, Outcome, StoppedWaiting, has
from tests.programs.chaos.plan import Move, Visit
from tests.programs.chaos.user_actions import UserActions
from tests.programs.chaos.world import World

_IMPATIENT = 7.0
"""Seconds without a visible change, after which a person presses once more."""
_TRIES = 6
_FAILURES = 4
"""So often a person tries again after a failure."""


class Person(Observer):
    """One visit."""

    def __init__(self, world: World, visit: Visit) -> None:
        super().__init__(world)
        self.visit = visit
        self.user: User = world.users[visit.user]
        self.stranger: User = world.users[(visit.user + 1) % len(world.users)]
        self.channel = world.channels[visit.channel]
        self.actions = UserActions(world, visit, self.user, self.channel)
        self._asked = 0

    async def play(self) -> None:
        try:
            await self._begin()
            outcome = await self._outcome(0)
            for move in self.visit.moves:
                outcome = await self._move(move, await self._a_draft(outcome))
        except StoppedWaiting:
            return

    # the beginning

    async def _begin(self) -> None:
        for _ in range(_TRIES):
            self._check_time()
            self._asked += 1
            words = f"{self.visit.word}q{self._asked}"
            if await self._ask(words):
                await self._find_root(words, 60.0)
                return
            await self._pause(1.5)
        raise StoppedWaiting

    async def _ask(self, words: str) -> bool:
        """Whether it was taken, as far as the person can tell."""
        prompt = f"{self.visit.idea} {words}"
        match self.visit.entry:
            case "mention":
                return await self.actions.mention(prompt)
            case "form":
                return await self.actions.form(
                    lambda: self.actions.slash("", "form"), prompt, metadata=""
                )
            case "options":
                return await self.actions.slash(f"{prompt} --n 2 --ar 16:9")
            case _:
                return await self.actions.slash(prompt)

    async def _a_draft(self, outcome: Outcome) -> Outcome:
        """After failures: try again, or with another prompt where that cannot help."""
        for _ in range(_FAILURES):
            if outcome.kind in {"draft", "final"}:
                return outcome
            message, number = outcome.message, outcome.number
            if outcome.kind == "failure" and not has(message, "Try again"):
                await self._by_form(message, number, "Edit prompt", self._words("a calmer one"))
            else:
                await self._press(message, number, "Try again", "once")
            outcome = await self._outcome(number)
        raise StoppedWaiting

    # what they do

    async def _move(self, move: Move, seen: Outcome) -> Outcome:
        if seen.kind == "final":
            return await self._start_over(seen) if move.what == "start_over" else seen
        message, number = seen.message, seen.number
        match move.what:
            case "refine":
                await self._by_form(message, number, "Refine", self._words("make it friendlier"))
            case "edit":
                await self._by_form(message, number, "Edit prompt", self._words("a blue whale"))
            case "say":
                await self._say(seen)
            case "cancel":
                return await self._cancel(seen)
            case "use_earlier":
                return await self._use_earlier(seen, move)
            case "stale":
                return await self._stale(seen)
            case "approve":
                await self._press(message, number, "Approve", move.manner)
                return await self._final(seen)
            case "start_over":
                return seen
            case _:
                await self._press(message, number, "Regenerate", move.manner)
        return await self._outcome(number)

    def _words(self, what: str) -> str:
        self._asked += 1
        return f"{what} {self.visit.word}q{self._asked}"

    async def _press(self, message: Message, number: int, label: str, manner: str) -> None:
        """Press a button until it is gone."""
        for _ in range(_TRIES):
            self._check_time()
            if not has(message, label):
                return
            if manner == "stranger":
                await self._press_as_stranger(message, number, label)
            clickers = {"double": [self.user], "stranger": [self.stranger]}.get(manner, [])
            pressing = [
                self.actions.click(who, message, label, self.session_id, number)
                for who in [*clickers, self.user]
            ]
            if manner == "twice":
                self.world.slack.deliver_twice = True
            answers = asyncio.gather(*pressing)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.world.slack.deliver_twice = False
            taken = (await answers)[-1]
            manner = "once"
            await self._wait(lambda: not has(message, label), taken)

    async def _press_as_stranger(self, message: Message, number: int, label: str) -> None:
        """Alone, and long enough for it to have an effect."""
        ack = self.actions.click(self.stranger, message, label, self.session_id, number)
        if await ack:
            await self._pause(1.5)
            still = has(message, label)
            self.world.journal.add(
                "seen", "a stranger's click", session=self.session_id, still=still
            )

    async def _wait(self, changed: Callable[[], bool], taken: bool) -> None:
        """Until something changes, or for as long as a person waits before pressing again."""
        deadline = time.time() + (_IMPATIENT if taken else 1.5)
        while time.time() < deadline and not changed():
            await self._pause(0.15)

    async def _by_form(self, message: Message, number: int, label: str, text: str) -> None:
        """A button that opens a form, and the form."""
        metadata = f"{self.session_id}#{number}"
        for _ in range(_TRIES):
            self._check_time()
            if not has(message, label):
                return
            opened = await self.actions.form(
                lambda: self.actions.click(
                    self.user, message, label, self.session_id, number, opens=True
                ),
                text,
                metadata=metadata,
            )
            if opened:
                await self._wait(lambda: not has(message, label), taken=True)
                return
            await self._pause(1.0)

    async def _say(self, seen: Outcome) -> None:
        """Words in the thread, which count like Refine."""
        text = self._words("make it night")
        for _ in range(_TRIES):
            self._check_time()
            thread = seen.message.thread_ts
            if await self.actions.mention(text, thread, self.session_id, seen.number):
                await self._wait(lambda: not has(seen.message, "Refine"), taken=True)
            if not has(seen.message, "Refine"):
                return
            await self._pause(1.0)

    async def _cancel(self, seen: Outcome) -> Outcome:
        """Regenerate, and think better of it: the draft is up for review again, or another has
        come meanwhile."""
        assert self.root is not None
        await self._press(seen.message, seen.number, "Regenerate", "once")
        deadline = time.time() + _IMPATIENT
        while time.time() < deadline and not has(self.root, "Cancel"):
            await self._pause(0.1)
        await self._press(self.root, seen.number + 1, "Cancel", "once")
        return await self._outcome(seen.number - 1)

    async def _use_earlier(self, seen: Outcome, move: Move) -> Outcome:
        """Regenerate, and settle for the one before."""
        await self._press(seen.message, seen.number, "Regenerate", "once")
        newer = await self._outcome(seen.number)
        if not has(seen.message, "Approve this one"):
            return newer
        await self._press(seen.message, seen.number, "Approve this one", move.manner)
        return await self._final(newer)

    async def _stale(self, seen: Outcome) -> Outcome:
        """Regenerate, and then press what another client still shows of the old draft."""
        await self._press(seen.message, seen.number, "Regenerate", "once")
        newer = await self._outcome(seen.number)
        for label in ("Regenerate", "Approve"):
            await self.actions.click(
                self.user, seen.message, label, self.session_id, seen.number, stale=True
            )
        return self._look(seen.number) or newer

    async def _final(self, seen: Outcome) -> Outcome:
        """The approved image, for which nobody waits for ever."""
        while True:
            self._check_time()
            if finals := self._marked("final"):
                return Outcome("final", *finals[-1])
            live = self._look(seen.number)
            if live is not None and live.kind == "draft":
                return live  # it did not count after all, and a newer draft is up for review
            await self._pause(0.15)

    async def _start_over(self, final: Outcome) -> Outcome:
        """A new session from the approved one; the rest is about that."""
        text = f"{self.visit.idea} {self._words('again')}"
        words = ASKED.findall(text)[-1]
        for _ in range(_TRIES):
            self._check_time()
            opened = await self.actions.form(
                lambda: self.actions.click(
                    self.user, final.message, "Start over", self.session_id, 0, opens=True
                ),
                text,
                metadata="",
            )
            if opened:
                await self._find_root(words, 60.0)
                return await self._outcome(0)
            await self._pause(1.0)
        raise StoppedWaiting
