"""`python -m tests.programs.load.crowd`: N people at once in one channel, where Slack takes one
message a second.

    python -m tests.programs.load.crowd --n 20,50,100 --processes 1,2
    python -m tests.programs.load.crowd --n 50 --per-second 0  Slack without the limit
    python -m tests.programs.load.crowd --n 20 --compare  what the waiting costs

`--processes 2` is two web processes and two workers. Each session needs two messages, the root and
the draft, so the last draft cannot be there before N × 2 seconds and the model's own. A *look* is a
call of `conversations.history` or `conversations.replies`. *CPU*: of the bot's processes, user and
system time, until the last draft. *Redis*: the scripts that it runs and all commands, those within
scripts included.

People who come all at once without the limit are served in 5 s, in which one wake-up of a process
serves several, and fewer status edits are made. So `--compare` lets as many come over as long a
time without the limit: what an image costs more with the limit is the price of waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from redis.asyncio import Redis

from tests.programs.load.measure import AFTERWARDS, alone
from tests.programs.load.usage import Usage
from tests.programs.load.world import Case, Json, World, opened

MODEL_SECONDS = 2.0
_WARM_UP = 0.2
_MOST_POSTS, _MOST_LOOKS, _MOST_SECONDS = 2.1, 1 / 20, 1.1
_MOST_CPU = 1.1
"""Times that of an image that nothing limits. Two runs differ by some percent."""


@dataclass
class Row:
    """`posts`, `looks`, `calls` are those of a session; `busy` are all that were answered with 429.
    `longest` is the time to which the last draft is compared, `free_cpu_ms` the CPU of an image
    where as many came over as long a time without the limit; 0 where that was not measured."""

    n: int
    processes: int
    limited: bool
    acked: int
    drafts: int
    posts: float
    looks: float
    calls: float
    busy: int
    last: float
    longest: float
    cpu_ms: float
    scripts: float
    commands: float
    free_cpu_ms: float = 0.0
    by_method: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def not_met(self) -> list[str]:
        """The targets that it misses."""
        wanted = {
            "a draft each": self.drafts == self.n,
            "acked": self.acked == self.n,
            "posts": self.posts <= _MOST_POSTS,
            "looks": self.looks <= _MOST_LOOKS,
            "last draft": not self.limited or self.last <= _MOST_SECONDS * self.longest,
            "CPU": not self.free_cpu_ms or self.cpu_ms <= _MOST_CPU * self.free_cpu_ms,
        }
        return [name for name, met in wanted.items() if not met] + self.problems


def main() -> int:
    """Answer the exit code: 1 where a target was not met."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.load.crowd",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--n", type=_numbers, default=[20, 50, 100], metavar="N,N")
    parser.add_argument("--processes", type=_numbers, default=[1, 2], metavar="1,2")
    parser.add_argument("--per-second", type=float, default=1.0, help="0: no limit")
    parser.add_argument("--compare", action="store_true", help="with no limit over the same time")
    parser.add_argument("--out", type=Path, default=Path("artifacts/load/crowd.json"))
    given = parser.parse_args()
    rows = asyncio.run(_run(given))
    sys.stdout.write(table(rows) + "\n")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    return int(any(row.not_met for row in rows))


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


async def _run(given: argparse.Namespace) -> list[Row]:
    rows = []
    for processes in given.processes:
        for n in given.n:
            row = await _case(n, processes, given.per_second)
            if given.compare and row.limited:
                free = await _case(n, processes, 0.0, within=row.last - MODEL_SECONDS)
                row.free_cpu_ms = free.cpu_ms
            sys.stderr.write(table([row]).splitlines()[-1] + f" {row.by_method}\n")
            rows.append(row)
    return rows


async def _case(n: int, processes: int, per_second: float, within: float = 0.0) -> Row:
    rate = per_second or 1000.0
    case = Case("bot", "socket", n, processes, webs=processes, messages_per_second=rate)
    async with opened(case) as world:
        return await measure(world, per_second, within)


async def measure(world: World, per_second: float, within: float) -> Row:
    """One session warms everything up, then all type the command in the same instant, or one after
    the other `within` so many seconds."""
    n = world.case.n
    await alone(world, _WARM_UP)
    await world.openai.ask("latency", seconds=MODEL_SECONDS)
    await world.slack.ask("limit", per_second=per_second or None)
    longest = MODEL_SECONDS + (2 * n / per_second if per_second else within)
    usage = Usage(world.pids)
    usage.begin()
    before = await _redis_calls(world)
    given = await world.slack.ask("imagine", people=n, channels=1, within=within)
    timeout = 2 * longest + 60
    came = await world.slack.ask("until", what="drafts", number=n, timeout=timeout)
    drafts = len(came["at"])
    cpu = sum(usage.cpu(name) for name in world.programs)
    scripts, commands = (
        now - then for now, then in zip(await _redis_calls(world), before, strict=True)
    )
    await asyncio.sleep(AFTERWARDS)
    report = await world.slack.ask("report")
    last = came["at"][-1] - given["began"] if drafts else 0.0
    return Row(
        n,
        world.case.workers,
        bool(per_second),
        len(given["acks"]),
        drafts,
        last=last,
        longest=longest,
        cpu_ms=1000 * cpu / n,
        scripts=scripts / n,
        commands=commands / n,
        **_calls(report, n),
    )


async def _redis_calls(world: World) -> tuple[int, int]:
    """Scripts and all commands since the server's start."""
    async with Redis.from_url(world.redis.url) as redis:
        stats: Json = await redis.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): each["calls"] for name, each in stats.items()}
    return calls.get("evalsha", 0), sum(calls.values())


def _calls(report: Json, n: int) -> Json:
    calls = report["calls"]
    looks = sum(calls.get(f"conversations.{kind}", 0) for kind in ("history", "replies"))
    return {
        "posts": calls.get("chat.postMessage", 0) / n,
        "looks": looks / n,
        "calls": sum(calls.values()) / n,
        "busy": report["busy"],
        "by_method": calls,
        "problems": report["violations"],
    }


def table(rows: list[Row]) -> str:
    """In Markdown."""
    lines = [
        "| N | webs + workers | limit | posts, looks, all calls a session | 429s "
        "| last draft ÷ (model + 2N s) | bot CPU, ms an image "
        "| without the limit over that time | Redis: scripts, commands an image "
        "| not met |",
        "|---" * 10 + "|",
    ]
    for row in rows:
        free = f"{row.free_cpu_ms:.0f}" if row.free_cpu_ms else "-"
        late = f"{row.last:.1f} ÷ {row.longest:.0f} = {row.last / row.longest:.2f}"
        lines.append(
            f"| {row.n} | {row.processes} + {row.processes} | {'yes' if row.limited else 'no'} "
            f"| {row.posts:.2f}, {row.looks:.2f}, {row.calls:.1f} | {row.busy} | {late} "
            f"| {row.cpu_ms:.0f} | {free} | {row.scripts:.0f}, {row.commands:.0f} "
            f"| {', '.join(row.not_met) or '-'} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
