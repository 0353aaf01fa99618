"""`python -m tests.programs.load.slack`: the simulated Slack, with as many people as are wanted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable

from bot.sandbox import Ack, Message, SimulatedSlack
from bot.sandbox.workspace.members import Channel
from tests.programs.load.control import Json, serve

CHANNELS = 20
_HEAD = 64
"""Bytes of an image that tell its type and size."""


class Crowd:
    """People who type the command together, and what they see of it: a message of the bot's with
    the button Approve is a draft, one with Start over is a final."""

    def __init__(self, slack: SimulatedSlack) -> None:
        self._slack = slack
        self._channels = [slack.workspace.add_channel(f"load{i:02}") for i in range(CHANNELS)]
        self._people = 0
        self._drafts: dict[str, float] = {}
        self._finals: dict[str, float] = {}
        self._messages: list[Message] = []

    async def watch(self) -> None:
        """Note when each draft and final comes; forget the bytes of images."""
        async for change in self._slack.subscribe():
            if change["type"] == "files":
                for named in change["files"]:
                    file = self._slack.workspace.files.get(named["id"])
                    if file is not None and file.data is not None:
                        file.data = file.data[:_HEAD]
            elif change["type"] == "message":
                self._note(change["message"], change["at"])

    def _note(self, message: Json, at: float) -> None:
        found = self._slack.workspace.find(message["channel"], message["ts"])
        if found is None:
            return
        if _has(found, "Approve"):
            self._messages.append(found)
            self._drafts[found.ts] = at
        elif _has(found, "Start over"):
            self._finals[found.ts] = at

    async def imagine(self, given: Json) -> Json:
        """`people` type the command in the same instant, or one by one within so many seconds, in
        all channels or in so many; answers how each was acked."""
        people, within = given["people"], given.get("within", 0.0)
        channels = self._channels[: given.get("channels", CHANNELS)]
        self._invite(people)
        began = time.time()
        acks = await asyncio.gather(
            *(_later(within * i / people, self._one(i, channels)) for i in range(people))
        )
        return {"began": began, **_told(acks)}

    def _invite(self, people: int) -> None:
        for i in range(self._people, people):
            person = self._slack.workspace.add_user(f"person{i:04}")
            for channel in self._channels:
                channel.members.add(person.id)
        self._people = max(self._people, people)

    async def _one(
        self, i: int, channels: list[Channel] | None = None, k: int = 0, options: str = ""
    ) -> Ack:
        """The person's idea number `k`, in a channel of its own as far as there are."""
        channels = channels or self._channels
        channel = channels[(i + k) % len(channels)]
        words = f"a robot eating pizza on Mars, as person {i} sees it {options}"
        return await self._slack.slash(f"person{i:04}", channel, "/imagine", words)

    async def ask(self, given: Json) -> Json:
        """One person types the command so many times, one after the other; answers when the first
        was typed, and how many were taken. A command that is refused is answered in words."""
        self._invite(given["person"] + 1)
        began, taken, options = time.time(), 0, given.get("options", "")
        for k in range(given["times"]):
            ack = await self._one(given["person"], k=k, options=options)
            taken += ack.ok and not ack.body
        return {"began": began, "taken": taken}

    async def drafts(self, given: Json) -> Json:
        """Wait until a person has so many drafts; answers when each came."""
        name = f"person{given['person']:04}"

        def at() -> list[float]:
            mine = [draft for draft in self._messages if self._owner(draft) == name]
            return sorted(self._drafts[draft.ts] for draft in mine)

        await self._slack.workspace.changes.until(
            lambda: len(at()) >= given["number"], given["timeout"]
        )
        return {"at": at()}

    async def approve(self, given: Json) -> Json:
        """The same for the approval of every draft that is there."""
        drafts, within = list(self._messages), given.get("within", 0.0)
        began = time.time()
        acks = await asyncio.gather(
            *(_later(within * i / len(drafts), self._press(each)) for i, each in enumerate(drafts))
        )
        return {"began": began, **_told(acks)}

    async def _press(self, draft: Message) -> Ack:
        return await self._slack.click(self._owner(draft), draft, "Approve")

    def _owner(self, draft: Message) -> str:
        """Whoever is named in the message that the draft's thread hangs on."""
        root = self._slack.message(draft.channel, str(draft.thread_ts))
        number = root.shown_text.partition("as person ")[2].partition(" ")[0]
        return f"person{int(number):04}"

    async def until(self, given: Json) -> Json:
        """Wait for so many drafts or finals; answers when each came, whether or not all did."""
        seen = self._drafts if given["what"] == "drafts" else self._finals
        await self._slack.workspace.changes.until(
            lambda: len(seen) >= given["number"], given["timeout"]
        )
        return {"at": sorted(seen.values())}

    async def listen(self, given: Json) -> Json:
        """Deliver to this URL, or over Socket Mode where there is none."""
        if given["url"]:
            self._slack.use_http(given["url"])
        else:
            self._slack.use_socket_mode()
        return {}

    async def limit(self, given: Json) -> Json:
        """Take so many messages a second in each channel from now on; None lifts the limit."""
        self._slack.rate_limit("chat.postMessage", given["per_second"])
        return {}

    async def report(self, _: Json) -> Json:
        """The bot's calls since the last report. `busy`: those that were answered with 429."""
        slack = self._slack
        calls = Counter(call.method for call in slack.calls)
        busy = sum(call.status == 429 for call in slack.calls)
        report = {
            "calls": dict(calls.most_common()),
            "busy": busy,
            "violations": list(slack.violations),
        }
        slack.calls.clear()
        slack.violations.clear()
        return report

    async def forget(self, _: Json) -> Json:
        """Everything but the people and the channels."""
        tickets = self._slack.workspace.tickets
        for kept in (self._drafts, self._finals, tickets.response_urls, tickets.triggers):
            kept.clear()
        self._slack.workspace.log.clear()
        self._messages.clear()
        self._slack.workspace.files.restore([])
        return {}


async def _later(seconds: float, action: Awaitable[Ack]) -> Ack:
    await asyncio.sleep(seconds)
    return await action


def _has(message: Message, words: str) -> bool:
    return any(words in button for button in message.buttons())


def _told(acks: list[Ack]) -> Json:
    return {"acks": [ack.seconds for ack in acks if ack.ok], "missed": sum(not a.ok for a in acks)}


async def run() -> None:
    """Serve until SIGTERM."""
    async with SimulatedSlack() as slack:
        crowd = Crowd(slack)
        watching = asyncio.create_task(crowd.watch())
        commands = {
            name: getattr(crowd, name)
            for name in (
                "imagine",
                "ask",
                "drafts",
                "approve",
                "until",
                "listen",
                "limit",
                "report",
                "forget",
            )
        }
        facts = {
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
        }
        await serve(commands, facts)
        watching.cancel()


if __name__ == "__main__":
    asyncio.run(run())
