"""What the oracle judges by: each side's own account, read past the program."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from redis.asyncio import Redis

from bot.sandbox import ApiCall, Message
from tests.fake_openai.book import Charge
from tests.programs.chaos.archive import Candidate, Stored, read_sessions
from tests.programs.chaos.idle import LIVE, QUEUES, RemainingWork, length_of
from tests.programs.chaos.journal import Entry, Journal
from tests.programs.chaos.ledger_book import LedgerBook, read_ledger
from tests.programs.chaos.message_index import WORD, marker_of
from tests.programs.chaos.record_book import RecordBook, read_record
from tests.programs.chaos.world import World

_IMAGE_MARKS = (b"iVBORw0KGgo", b"\x89PNG", b"/9j/4AAQ", b"\xff\xd8\xff")


@dataclass(frozen=True)
class Key:
    """A Redis key. `ttl` in seconds, -1 for none; `has_image`: bytes of an image are in it."""

    name: str
    kind: str
    ttl: int
    has_image: bool = False


@dataclass(frozen=True)
class Asked:
    """A paid call to the provider; `told`: events of its stream that were sent; `by`: the name of
    the process that asked."""

    response_id: str
    word: str
    at: float
    outcome: str = "success"
    told: int = 1
    by: str = "worker1"


@dataclass(frozen=True)
class Paid:
    """An image that the provider made and charged."""

    response_id: str
    word: str
    at: float


@dataclass
class Evidence:
    """`sessions` as they are at the end, `last` as they were when they last had attempts."""

    sessions: dict[str, Stored] = field(default_factory=dict)
    last: dict[str, Stored] = field(default_factory=dict)
    responses: dict[Candidate, list[str]] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    jobs: dict[str, int] = field(default_factory=dict)
    bot_user: str = "U0IMAGINE1"
    settled_jobs: set[str] = field(default_factory=set)
    left: RemainingWork = field(default_factory=RemainingWork)
    messages: list[Message] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    calls: list[ApiCall] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)
    journal: Journal = field(default_factory=Journal)
    logs: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    mode: str = "socket"
    record: RecordBook = field(default_factory=RecordBook)
    ledger: LedgerBook = field(default_factory=LedgerBook)
    charged: list[Charge] = field(default_factory=list)

    @cached_property
    def marked(self) -> dict[str, list[tuple[str, int, Message]]]:
        """Session id → its messages that are there, as kind, number, message."""
        found: dict[str, list[tuple[str, int, Message]]] = defaultdict(list)
        for message in self.messages:
            marker = None if message.deleted or message.ephemeral_to else marker_of(message)
            if marker is not None:
                found[marker[1]].append((marker[0], marker[2], message))
        return found

    def of(self, session_id: str, kind: str) -> list[tuple[int, Message]]:
        return [(n, m) for each, n, m in self.marked.get(session_id, []) if each == kind]

    @cached_property
    def words(self) -> dict[str, str]:
        """Session id → the word of the person's visit."""
        found: dict[str, str] = {}
        for session in self.last.values():
            for attempt in session.attempts:
                for word in WORD.findall(f"{attempt['prompt']} {attempt['change']}"):
                    found.setdefault(session.id, word)
        return found

    def acts(self, *whats: str) -> Iterator[Entry]:
        return (e for e in self.journal.of("act") if not whats or e.what in whats)

    def told(self, act: Entry) -> list[Message]:
        """What the bot told that person in private soon after."""
        user = act.facts["user"]
        return [
            m
            for m in self.messages
            if m.ephemeral_to == user and act.at <= float(m.ts) <= act.until + 15.0
        ]

    def failed_to_tell(self, act: Entry) -> bool:
        """Slack lost what the bot wanted to tell, or the process that did died."""
        private = {"chat.postEphemeral", "response_url", "views.open"}
        lost = any(
            call.method in private and not (call.ok and call.status == 200)
            for call in self.calls
            if act.at - 0.5 <= call.at <= act.until + 15.0
        )
        died = any(
            entry.facts.get("target", entry.what).startswith("web")
            or "slack" in str(entry.facts.get("target"))
            for entry in self.journal.during(act.at - 3.0, act.until + 5.0, "fault", "exit")
        )
        return lost or died


async def gather(world: World, left: RemainingWork) -> Evidence:
    """All of it, when all is quiet."""
    await world.archive.look()
    async with world.redis() as redis:
        sessions = {session.id: session for session in await read_sessions(redis)}
        record = await read_record(redis)
        ledger = await read_ledger(redis)
        keys = await _keys(redis, world.valkey.url)
        jobs = {
            f"{queue}:{name}": await length_of(redis, f"{queue}:{name}")
            for queue in QUEUES
            for name in LIVE
        }
        settled = {
            f"{queue}:{job!s}"
            for queue in QUEUES
            for name in ("completed", "failed")
            for job in await redis.zrange(f"{queue}:{name}", 0, -1)
        }
    slack, openai = world.slack, world.openai
    return Evidence(
        sessions=sessions,
        last=dict(world.archive.last),
        responses=dict(world.archive.responses),
        keys=keys,
        jobs=jobs,
        settled_jobs=settled,
        left=left,
        messages=list(slack.workspace.log),
        bot_user=slack.bot_user_id,
        complaints=list(slack.violations),
        calls=list(slack.calls),
        asked=[
            Asked(
                c.response_id or "", _word(c.text), c.at, c.outcome or "", c.sent, _who(c.headers)
            )
            for c in openai.creates
        ],
        paid=[Paid(made.response_id, _word(made.prompt), made.at) for made in openai.made],
        journal=world.journal,
        logs={s.name: s.log.read_text(errors="replace") for s in world.slots.values()},
        secrets={
            "the bot token": slack.bot_token,
            "the app token": slack.app_token,
            "the signing secret": slack.signing_secret,
            "the API key": openai.api_key,
        },
        mode=world.plan.mode,
        record=record,
        ledger=ledger,
        charged=list(openai.book),
    )


def _word(text: str) -> str:
    found = WORD.findall(text)
    return found[-1] if found else ""


async def _keys(redis: Redis, url: str) -> list[Key]:
    found = []
    async with Redis.from_url(url) as raw:
        async for each in redis.scan_iter("*", count=1000):
            name = str(each)
            kind, ttl = str(await redis.type(name)), int(await redis.ttl(name))
            data = b"" if ":generated_image:" in name else await raw.dump(name) or b""
            found.append(Key(name, kind, ttl, any(mark in data for mark in _IMAGE_MARKS)))
    return found


def _who(headers: Mapping[str, str]) -> str:
    return headers.get("openai-project", "")
