"""What comes in where much more is asked for than limits leave, while workers are killed.

    python -m tests.programs.load.budget  500 × `--n 4` against each limit
    python -m tests.programs.load.budget --requests 100 --limit images  a part of it

Ten people type the command again and again for as long as workers are killed, at one step after the
other. In the middle an admin lowers the limit to a half. *Counted then* is what the limit had
counted by then, holds included: at the end no more is counted than that, or than the lowered limit.
*Lost*: answers that died with a worker, after which the image was asked for again; each may count
once more. *Refused after*: from the typing of a command to the private words about the limit.
The other columns are what the oracle of the chaos run finds in the books and in the record.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bot.adapters.redis import RedisLimitSettings
from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind
from bot.sandbox import Ack, Channel, User
from tests.programs.chaos import checks_ledger, checks_record
from tests.programs.chaos.evidence import Evidence, gather
from tests.programs.chaos.finding import Finding
from tests.programs.chaos.idle import until_idle
from tests.programs.chaos.plan import Fault, Plan
from tests.programs.chaos.steps import Steps
from tests.programs.chaos.world import World
from tests.support.ledger import counters
from tests.support.processes import SHORT_LEASE

IMAGES = 4
PEOPLE, CHANNELS = 10, 5
STEPS = (
    "request", "created", "generating", "image", "item_done", "root", "upload", "draft before",
    "draft",
)  # fmt: skip
_BETWEEN = 4.0
"""Seconds that workers have between two kills, to get on."""
_FAST = 3.0
_CHECKS = (
    checks_ledger.measured_is_what_was_charged,
    checks_ledger.what_was_charged_has_a_line,
    checks_ledger.an_estimate_is_a_lost_answer,
    checks_ledger.a_call_has_one_line,
    checks_ledger.a_line_is_of_who_asked,
    checks_ledger.counters_are_the_lines,
    checks_ledger.no_hold_is_left,
    checks_record.record_stands,
    checks_record.record_tells_what_slack_shows,
    checks_record.record_names_the_bytes,
    checks_record.record_tells_what_was_asked_and_approved,
    checks_record.record_tells_what_failed,
)


@dataclass(frozen=True)
class Fence:
    """A limit, and half of it, as typed by the operator and an admin; `counter` is the kind of its
    counters."""

    kind: LimitKind
    limit: int
    counter: str

    @property
    def typed(self) -> str:
        return str(self.limit / 1e6 if self.kind.in_dollars else self.limit)


FENCES = {
    "images": Fence(LimitKind.USER_IMAGES_PER_DAY, 12, "asked"),
    "user": Fence(LimitKind.USER_BUDGET_PER_MONTH, 150_000, "spent"),
    "channel": Fence(LimitKind.CHANNEL_BUDGET_PER_MONTH, 300_000, "spent"),
    "workspace": Fence(LimitKind.WORKSPACE_BUDGET_PER_MONTH, 1_000_000, "spent"),
}


@dataclass
class Row:
    """`above`: how much the worst counter is above what it may be, in its own units."""

    fence: str
    requests: int
    acks: list[float] = field(default_factory=list)
    accepted: int = 0
    refused: int = 0
    refused_after: float = 0.0
    kills: int = 0
    counted_then: int = 0
    counted: int = 0
    lost: int = 0
    above: int = 0
    charged: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """Answer the exit code: 1 where something does not hold."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.load.budget",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--limit", default=",".join(FENCES), metavar="LIMIT,LIMIT")
    given = parser.parse_args()
    rows = asyncio.run(_run(given.limit.split(","), given.requests))
    sys.stdout.write(table(rows) + "\n")
    return int(any(row.problems for row in rows))


async def _run(names: list[str], requests: int) -> list[Row]:
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory(prefix="budget-") as folder:
            rows.append(await measure(name, requests, Path(folder)))
        sys.stderr.write(table(rows[-1:]).splitlines()[-1] + "\n")
        sys.stderr.writelines(f"  {problem}\n" for problem in rows[-1].problems)
    return rows


async def measure(
    name: str,
    requests: int,
    folder: Path,
    steps: tuple[str, ...] = STEPS,
    between: float = _BETWEEN,
) -> Row:
    """Kill all workers at each of the steps, while people ask as often as this together."""
    fence, row = FENCES[name], Row(name, requests)
    plan = Plan(1, "socket", 0.0, PEOPLE, CHANNELS, (), (), SHORT_LEASE)
    settings = {
        fence.kind.value.upper(): fence.typed,
        "USER_IMAGES_WAITING": "0",
        "USER_IMAGES_AT_ONCE": "0",
        "PROVIDER_CONCURRENCY": "20",
        "SLACK_MESSAGES_PER_SECOND": "1000",
    }
    async with World(plan, folder, **settings) as world:
        crowd = _Crowd(world, requests, row)
        asking = asyncio.create_task(crowd.ask())
        half = len(steps) // 2
        row.kills += await _kill_at(world, steps[:half], between)
        before = await _lowered(world, fence)
        row.kills += await _kill_at(world, steps[half:], between)
        crowd.hurry.set()
        await asking
        await world.all_ready(120.0)
        _, left = await until_idle(world)
        await asyncio.gather(*(slot.stop() for slot in world.slots.values()))
        _judge(row, fence, before, await gather(world, left))
    return row


async def _kill_at(world: World, steps: tuple[str, ...], between: float) -> int:
    killer = Steps(world)
    for step in steps:
        await killer.end_at(Fault(0.0, "step", "all", 0.2, step))
        await asyncio.sleep(0.5)
        await world.all_ready(60.0)
        await asyncio.sleep(between)
    return sum(entry.what.startswith("step") for entry in world.journal.of("fault"))


async def _lowered(world: World, fence: Fence) -> dict[str, int]:
    """What was counted when an admin had lowered the limit; a command may have been under way."""
    (team,) = {key.split("}")[0].split("{")[1] for key in await _sessions(world)}
    async with world.redis() as redis:
        chosen = ChosenLimit(fence.limit // 2, "UADMIN", time.time())
        await RedisLimitSettings(redis, 5.0).choose(team, {}, {(WORKSPACE, fence.kind): chosen}, [])
    await asyncio.sleep(_FAST)
    return await counters(world.valkey.url, fence.counter)


async def _sessions(world: World) -> list[str]:
    async with world.redis() as redis:
        return [key async for key in redis.scan_iter("imagine:{*}:session:*")]


class _Crowd:
    """People who ask one after the other, each as soon as the last command is answered and a pause
    is over; after `hurry`, without one."""

    def __init__(self, world: World, requests: int, row: Row) -> None:
        self._world = world
        self._requests = requests
        self._row = row
        self.hurry = asyncio.Event()

    async def ask(self) -> None:
        each = self._requests // PEOPLE
        numbers = [range(p * each, (p + 1) * each) for p in range(PEOPLE)]
        await asyncio.gather(*(self._person(p, ns) for p, ns in enumerate(numbers)))
        self._row.requests = each * PEOPLE

    async def _person(self, person: int, numbers: range) -> None:
        world = self._world
        user: User = world.users[person]
        for number in numbers:
            channel = world.channels[number % CHANNELS]
            await self._ask_once(user, channel, f"kwx{person:04x}{number:04d}")
            try:
                async with asyncio.timeout(60.0 * PEOPLE / self._requests):
                    await self.hurry.wait()
            except TimeoutError:
                continue

    async def _ask_once(self, user: User, channel: Channel, word: str) -> None:
        world, row = self._world, self._row
        began, words = time.time(), f"a fox {word} --quality low --n {IMAGES}"
        ack: Ack = await world.slack.slash(user, channel, "/imagine", words)
        row.acks.append(ack.seconds)
        if not ack.ok:
            row.problems.append(f"{word} was not acked: {ack.error}")

        def answer() -> str:
            for message in reversed(world.slack.workspace.log):
                if word in message.shown_text:
                    return message.ephemeral_to or "accepted"
            return ""

        answered = await world.slack.wait_for(answer, 60.0, f"an answer to {word}")
        if answered == "accepted":
            row.accepted += 1
        elif answered == user.id:
            row.refused += 1
            row.refused_after = max(row.refused_after, time.time() - began)
        else:
            row.problems.append(f"the refusal of {word} was told to {answered}")


def _judge(row: Row, fence: Fence, before: dict[str, int], evidence: Evidence) -> None:
    ledger = evidence.ledger
    counted = ledger.asked if fence.counter == "asked" else ledger.spent
    names = [name for name in counted if name.startswith(_PREFIX[row.fence])]
    lost = [line for line in ledger.last_lines if line.state == "estimated"]
    row.lost, row.charged = len(lost), len(evidence.charged)
    row.counted_then = max((before.get(name, 0) for name in names), default=0)
    row.counted = max((counted[name] for name in names), default=0)
    again = {
        name: sum(line.micro for line in lost if name in _counters_of(line.user, line.channel))
        for name in names
    }
    lowered = (counted[n] - max(before.get(n, 0), fence.limit // 2) - again[n] for n in names)
    until_then = (before.get(n, 0) - fence.limit - again[n] for n in names)
    row.above = max(0, *lowered, *until_then)
    if len(evidence.last) != row.accepted:
        row.problems.append(f"{len(evidence.last)} sessions, {row.accepted} roots")
    if row.above:
        row.problems.append(f"counted {row.above} above the limit")
    if row.refused_after > _FAST:
        row.problems.append(f"a refusal took {row.refused_after:.1f} s")
    refusals = sum(line.kind == "refused" for line in evidence.record.lines)
    if refusals != row.refused:
        row.problems.append(f"{refusals} refusals in the record, {row.refused} were told")
    found: list[Finding] = [each for check in _CHECKS for each in check(evidence)]
    row.problems += [str(each) for each in found if not each.cause]


_PREFIX = {"images": "", "user": "user:", "channel": "channel:", "workspace": "workspace"}


def _counters_of(user: str, channel: str) -> tuple[str, ...]:
    return f"user:{user}", f"channel:{channel}", "workspace"


def table(rows: list[Row]) -> str:
    """In Markdown."""
    lines = [
        "| limit | commands (images) | accepted | refused | ack p50 / max, ms | refused after "
        "| kills | limit → lowered | counted then | at the end | lost | charged | above "
        "| problems |",
        "|---" * 14 + "|",
    ]
    for row in rows:
        fence = FENCES[row.fence]
        acks = f"{1000 * statistics.median(row.acks):.0f} / {1000 * max(row.acks):.0f}"
        show = _dollars if fence.kind.in_dollars else str
        lines.append(
            f"| {row.fence} | {row.requests} ({row.requests * IMAGES}) | {row.accepted} "
            f"| {row.refused} | {acks} | ≤ {row.refused_after:.2f} s | {row.kills} "
            f"| {show(fence.limit)} → {show(fence.limit // 2)} | {show(row.counted_then)} "
            f"| {show(row.counted)} | {row.lost} | {row.charged} | {show(row.above)} "
            f"| {len(row.problems)} |"
        )
    return "\n".join(lines)


def _dollars(micro: int) -> str:
    return f"${micro / 1e6:.3f}"


if __name__ == "__main__":
    sys.exit(main())
