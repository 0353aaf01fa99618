"""What people will do and what will go wrong, from a seed alone."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import Any

PROCESSES = ("web1", "web2", "worker1", "worker2")
LEASE = 15.0
"""Seconds for which a dead worker's jobs are still taken for its own."""

CROWD_AT = 0.2
"""Of the run's seconds."""
MOST_IN_CROWD = 20
"""People in the crowd: more would wait for their first messages longer than they look for them."""

_IDEAS = (
    "a fox on the moon",
    "a robot eating pizza on Mars",
    "an owl in a library <!channel>",
    "a lighthouse & <@U0BOB00000> in fog",
    "a red bicycle `by` *the* sea",
    "ein Wal über den Dächern 🐋",
)
_ENTRIES = ("slash",) * 5 + ("options",) * 2 + ("form",) * 3 + ("mention",) * 2
_MOVES = ("regenerate", "refine", "edit", "say", "cancel", "use_earlier", "stale")
_ENDS = ("approve",) * 6 + ("start_over",) * 2 + ("leave",)
_MANNERS = ("once",) * 4 + ("double", "stranger", "twice")


@dataclass(frozen=True)
class Move:
    """`manner`: `once`, `double` (two clicks at the same time), `stranger` (somebody else clicks
    at the same time), `twice` (Slack delivers the click twice)."""

    what: str
    manner: str = "once"


@dataclass(frozen=True)
class Visit:
    """One session of one person. `word` is in all that they type and nowhere else; `at` is
    seconds from the start."""

    number: int
    at: float
    user: int
    channel: int
    entry: str
    idea: str
    word: str
    moves: tuple[Move, ...]


@dataclass(frozen=True)
class Fault:
    """`target`: a process, `all` workers, a link, a Slack method, or an outcome of OpenAI's."""

    at: float
    what: str
    target: str = ""
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True)
class Plan:
    seed: int
    mode: str
    seconds: float
    users: int
    channels: int
    visits: tuple[Visit, ...]
    faults: tuple[Fault, ...]
    lease: float = LEASE

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        kinds = sorted({fault.what for fault in self.faults})
        return (
            f"seed {self.seed}, {self.mode}: {len(self.visits)} visits by {self.users} people in "
            f"{self.channels} channels, {len(self.faults)} faults in {self.seconds:g} s "
            f"({', '.join(kinds)})"
        )


def make_plan(seed: int, sessions: int, seconds: float, mode: str, lease: float = LEASE) -> Plan:
    """The same arguments give the same plan."""
    rng = random.Random(seed)
    users, channels = max(4, sessions // 2), max(3, min(24, sessions // 6))
    visits = [_visit(rng, n, seconds, users, channels) for n in range(1, sessions + 1)]
    faults = _faults(rng, seconds, lease)
    _gather_crowd(visits, faults, seconds)
    return Plan(seed, mode, seconds, users, channels, tuple(visits), tuple(faults), lease)


def _gather_crowd(visits: list[Visit], faults: list[Fault], seconds: float) -> None:
    """Some of the visits begin in one channel in the same instant, and a worker is killed while
    they wait for their turns there."""
    at = round(seconds * CROWD_AT, 2)
    for i in range(min(MOST_IN_CROWD, len(visits) * 2 // 5)):
        visits[i] = replace(visits[i], at=at, channel=0, entry="slash")
    faults.append(Fault(at + 1.5, "kill", "worker1", 1.0))
    faults.sort(key=lambda fault: fault.at)


def _visit(rng: random.Random, number: int, seconds: float, users: int, channels: int) -> Visit:
    count = rng.choice((0, 0, 1, 1, 2, 3))
    moves = [Move(rng.choice(_MOVES), rng.choice(_MANNERS)) for _ in range(count)]
    end = rng.choice(_ENDS)
    if end != "leave":
        moves.append(Move("approve", rng.choice(_MANNERS)))
    if end == "start_over":
        moves.append(Move("start_over", rng.choice(_MANNERS)))
    return Visit(
        number,
        round(rng.uniform(0.0, seconds * 0.75), 2),
        rng.randrange(users),
        rng.randrange(channels),
        rng.choice(_ENTRIES),
        rng.choice(_IDEAS),
        f"kwx{rng.randrange(16**4):04x}{number:04d}",
        tuple(moves),
    )


def _faults(rng: random.Random, seconds: float, lease: float) -> list[Fault]:
    """Every kind comes once before any comes twice."""
    at, found, deck = 2.0, [], _deck(rng, seconds)
    last = seconds - 1.0
    while at < last:
        if not deck:
            deck = _deck(rng, seconds)
        found.append(_dealt(rng, round(at, 2), deck.pop(), lease))
        at += rng.uniform(1.0, 5.0) if seconds > 120 else rng.uniform(1.0, 2.6)
    return found


_FIRST = (
    "kill worker",
    "restart redis",
    "cut",
    "kill web",
    "step",
    "silent",
    "lose",
    "slack",
    "openai",
)
"""What even a short run has; dealt from the end."""


def _deck(rng: random.Random, seconds: float) -> list[str]:
    rest = ["openai"] * 3 + ["slack"] * 3 + ["term", "step", "refuse", "delay", "freeze", "openai"]
    if seconds <= 120:
        first = list(_FIRST)
        rng.shuffle(first)
        rng.shuffle(rest)
        return [*rest, *first]
    deck = [*_FIRST, *rest, *["step"] * 5, *["term"] * 3, *["kill worker"] * 3, "kill web", "cut"]
    deck += ["long freeze"] if rng.random() < 0.6 else []
    rng.shuffle(deck)
    return deck


_STEPS = (
    "created", "generating", "image", "item_done", "upload", "files.completeUploadExternal",
    "draft", "draft before", "root", "root before", "final", "chat.update",
)  # fmt: skip
_OUTCOMES = (
    "rate_limited", "server_error", "slow", "dropped_created", "dropped_image", "dropped_item",
    "lost_request", "unpaid_request", "ends_silently", "moderation_400", "moderation_stream",
    "refusal", "response_failed",
)  # fmt: skip
_SLACK = ("rate_limited", "http_500", "http_503", "late", "lost_answer", "dropped", "late_trigger")
_METHODS = (
    "*", "chat.postMessage", "chat.postMessage", "chat.update", "files.completeUploadExternal",
    "files.getUploadURLExternal", "upload", "views.open", "response_url", "chat.postEphemeral",
)  # fmt: skip


def _dealt(rng: random.Random, at: float, kind: str, lease: float) -> Fault:
    match kind:
        case "kill worker" | "kill web":
            name = rng.choice([p for p in PROCESSES if p.startswith(kind.split()[1])])
            return Fault(at, "kill", name, _pause(rng))
        case "term":
            return Fault(at, "term", rng.choice(PROCESSES), _pause(rng))
        case "step":
            what = rng.choice(("step", "step", "step term"))
            return Fault(at, what, rng.choice(("all", "worker1", "worker2")), 1.0, _step(rng))
        case "restart redis":
            return Fault(at, "restart redis", seconds=round(rng.uniform(0.2, 4.0), 2))
        case "freeze":
            return Fault(at, "freeze redis", seconds=round(rng.uniform(1.0, 7.0), 2))
        case "long freeze":
            return Fault(at, "freeze redis", seconds=round(lease + rng.uniform(1.0, 6.0), 2))
        case "slack":
            detail = rng.choice(_SLACK)
            method = "views.open" if detail == "late_trigger" else rng.choice(_METHODS)
            return Fault(at, "slack", method, float(rng.randint(1, 6)), detail)
        case "openai":
            return Fault(at, "openai", rng.choice(_OUTCOMES), float(rng.randint(1, 3)))
        case _:
            return Fault(at, kind, _link(rng), round(rng.uniform(1.0, 6.0), 2))


def _step(rng: random.Random) -> str:
    return rng.choice(_STEPS)


def _pause(rng: random.Random) -> float:
    """Seconds until the process is started again."""
    return round(rng.uniform(0.2, 6.0), 2)


def _link(rng: random.Random) -> str:
    process = rng.choice(PROCESSES)
    targets = ("redis", "slack", "openai") if process.startswith("worker") else ("redis", "slack")
    return rng.choice((f"{process}-{rng.choice(targets)}", f"{process}-redis", "slack-links"))
