"""`python -m tests.programs.load`: run the cases, print the table and each target."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from tests.programs.load import __doc__ as design
from tests.programs.load.growth import FEWEST, WAVE, Growth, grow
from tests.programs.load.measure import Figures, measure
from tests.programs.load.profiling import available, profiled
from tests.programs.load.report import table, verdicts
from tests.programs.load.world import Case, opened


def main() -> int:
    """Answer the exit code: 1 where a target was not met."""
    given = _parser().parse_args()
    rows, growth = asyncio.run(_run(given))
    said = verdicts(rows, growth)
    parts = [f"{os.cpu_count()} processors, Python {platform.python_version()}"]
    parts += [table(rows)] if rows else []
    sys.stdout.write("\n\n".join([*parts, "\n".join(f"- {line}" for line in said)]) + "\n")
    _write(given.out, rows, growth, said)
    return int(any(line.startswith("NOT MET") for line in said))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.load",
        description=design,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--n", type=_numbers, default=[50, 100, 200, 400], metavar="N,N")
    parser.add_argument("--mode", default="socket,http", help="socket, http or both")
    parser.add_argument("--workers", type=int, default=1, choices=(1, 2))
    parser.add_argument(
        "--baseline", action=argparse.BooleanOptionalAction, default=True, help="beside the bot"
    )
    parser.add_argument("--bot", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--approve", action="store_true", help="the whole loop")
    parser.add_argument("--patience", type=float, default=120, help="seconds for the last draft")
    parser.add_argument("--sessions", type=_many, default=0, help=f"growth, in waves of {WAVE}")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="record with py-spy")
    parser.add_argument("--out", type=Path, default=Path("artifacts/load/load.json"))
    return parser


def _many(text: str) -> int:
    if (sessions := int(text)) < FEWEST:
        raise argparse.ArgumentTypeError(f"at least {FEWEST}")
    return sessions


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


async def _run(given: argparse.Namespace) -> tuple[list[Figures], Growth | None]:
    if given.sessions:
        async with opened(Case("bot", given.mode.split(",")[0], WAVE, given.workers)) as world:
            return [], await grow(world, given.sessions)
    return [await _case(case, given) for case in _cases(given)], None


def _cases(given: argparse.Namespace) -> Iterator[Case]:
    for mode in given.mode.split(","):
        for n in given.n:
            if given.bot:
                yield Case("bot", mode, n, given.workers)
            if given.baseline:
                yield Case("baseline", mode, n)
                yield Case(f"baseline, pool of {n}", mode, n)


async def _case(case: Case, given: argparse.Namespace) -> Figures:
    sys.stderr.write(f"{case.name} …\n")
    async with opened(case) as world:
        recording = given.profile if available() else None
        watching = profiled(world, recording) if recording else nullcontext()
        async with watching:
            figures = await measure(world, given.patience, approve=given.approve)
    for problem in figures.problems[:5]:
        sys.stderr.write(f"  {problem}\n")
    sys.stderr.write(table([figures]).splitlines()[-1] + "\n")
    return figures


def _write(out: Path, rows: list[Figures], growth: Growth | None, said: list[str]) -> None:
    told = {
        "rows": [{**asdict(row), "ratio": row.ratio} for row in rows],
        "growth": {**asdict(growth), "slope": growth.slope} if growth else None,
        "targets": said,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    sys.exit(main())
