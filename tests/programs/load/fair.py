"""What somebody waits who asks for one idea behind somebody who asked for sixty.

    python -m tests.programs.load.fair  images 1 and 4, one worker and two, limits off and default
    python -m tests.programs.load.fair --images 4 --workers 2 --limits off  a part of it
    python -m tests.programs.load.fair --before FOLDER  the same of the program in that folder, too

The model takes 2 s, and each worker makes 5 images at a time. One person types the command 60
times, each for 1 or 4 images. Once the first draft of these is there, another types it once, for as
many. *Floor* is what one person alone takes for as many beyond the model's 2 s: both
messages, the upload, the draft. The target: the other's draft comes within two model times and
the floor.

*Greedy's last* is the last draft of the first person, from the first command. *Its share* is what
all images of both take at 5 at a time for each worker, and the floor: nothing is wasted where it
comes by then. With the limits it is what the images of that person take at 4 at a time, and at what
the other's leave while these are made.
*Refused* are the commands that USER_IMAGES_WAITING turned down.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from tests.programs.load.measure import alone
from tests.programs.load.world import Case, World, opened

MODEL_SECONDS = 2.0
AT_ONCE = 5
"""Images of each worker."""
IDEAS = 60
_FIRST, _GREEDY, _OTHER = range(3)
_PATIENCE = 300
_NO_DAY_LIMIT = ("USER_IMAGES_PER_DAY", "0")  # 60 ideas of 4 images are more than its default
LIMITS = {
    "off": (_NO_DAY_LIMIT, ("USER_IMAGES_AT_ONCE", "0"), ("USER_IMAGES_WAITING", "0")),
    "default": (_NO_DAY_LIMIT,),
}
_OF_ONE_PERSON = 4
"""The default of USER_IMAGES_AT_ONCE."""
_SLACK = 0.15
"""Of the share: what may be lost between two images of a worker."""


class Row(NamedTuple):
    """Seconds, but for what counts: `images` of each idea, `workers`, `refused`."""

    program: str
    images: int
    workers: int
    limits: str
    floor: float
    other: float
    last: float
    share: float
    refused: int

    @property
    def most(self) -> float:
        return 2 * MODEL_SECONDS + self.floor


async def measure(program: str, images: int, workers: int, limits: str, folder: str) -> Row:
    settings = LIMITS[limits] + ((("PYTHONPATH", folder),) if folder else ())
    async with opened(Case("bot", "socket", AT_ONCE, workers, settings=settings)) as world:
        await alone(world, 0.2)
        await world.openai.ask("latency", seconds=MODEL_SECONDS)
        first = await world.slack.ask("ask", person=_FIRST, times=1, options=_options(images))
        (came,) = await _drafts(world, _FIRST, 1)
        floor = came - first["began"] - MODEL_SECONDS
        return await _measure(world, Row(program, images, workers, limits, floor, 0, 0, 0, 0))


def _options(images: int) -> str:
    return f"--n {images}" if images > 1 else ""


async def _measure(world: World, row: Row) -> Row:
    options = _options(row.images)
    asking = asyncio.create_task(
        world.slack.ask("ask", person=_GREEDY, times=IDEAS, options=options)
    )
    await _drafts(world, _GREEDY, 1)
    greedy = await asking
    other = await world.slack.ask("ask", person=_OTHER, times=1, options=options)
    (came, *_) = await _drafts(world, _OTHER, 1)
    drafts = await _drafts(world, _GREEDY, greedy["taken"])
    return row._replace(
        other=came - other["began"],
        last=drafts[-1] - greedy["began"],
        share=_model_times(greedy["taken"], row) * MODEL_SECONDS + row.floor,
        refused=IDEAS - greedy["taken"],
    )


def _model_times(ideas: int, row: Row) -> int:
    """How many model times the images of so many ideas take beside the other's one idea, where no
    slot is ever free."""
    slots = AT_ONCE * row.workers
    if row.limits == "off":
        return math.ceil((ideas + 1) * row.images / slots)
    at_once, others = min(slots, _OF_ONE_PERSON), min(row.images, _OF_ONE_PERSON)
    lost = max(0, at_once - (slots - others))  # while the other's are made
    return math.ceil((ideas * row.images + lost) / at_once)


async def _drafts(world: World, person: int, number: int) -> list[float]:
    came = await world.slack.ask("drafts", person=person, number=number, timeout=_PATIENCE)
    at: list[float] = came["at"]
    if len(at) < number:
        raise RuntimeError(f"only {len(at)} of {number} drafts came\n{world.logs}")
    return at


def table(rows: list[Row]) -> str:
    """In Markdown."""
    lines = [
        "| program | images | workers | limits | floor | other's draft (target) | greedy's last"
        " (its share) | refused |",
        "|---" * 8 + "|",
    ]
    lines += [
        f"| {r.program} | {r.images} | {r.workers} | {r.limits} | {r.floor:.1f} s "
        f"| {r.other:.1f} s (≤ {r.most:.1f} s) | {r.last:.1f} s ({r.share:.1f} s) | {r.refused} |"
        for r in rows
    ]
    return "\n".join(lines)


def verdicts(rows: list[Row]) -> list[str]:
    said = []
    for row in rows:
        where = f"{row.program}, {row.images} images, {row.workers} workers, limits {row.limits}"
        good = "met" if row.other <= row.most else "NOT MET"
        said.append(f"{good}: the other's draft: {row.other:.1f} ≤ {row.most:.1f} s ({where})")
        good = "met" if row.last <= row.share * (1 + _SLACK) else "NOT MET"
        said.append(f"{good}: greedy's last: {row.last:.1f}, share {row.share:.1f} s ({where})")
    return said


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.load.fair",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--images", default="1,4", help="of each idea")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--limits", default=",".join(LIMITS))
    parser.add_argument("--before", default="", metavar="FOLDER", help="an older program's")
    return parser


def _cases(given: argparse.Namespace) -> Iterator[tuple[str, int, int, str, str]]:
    programs = [("now", "")] + ([("before", given.before)] if given.before else [])
    parts = given.images.split(","), given.workers.split(","), given.limits.split(",")
    for (program, folder), images, workers, limits in product(programs, *parts):
        if folder and limits != "off" and "off" in parts[2]:
            continue  # an older program knows no limits
        yield program, int(images), int(workers), limits, folder


async def run(given: argparse.Namespace) -> list[Row]:
    rows = []
    for case in _cases(given):
        rows.append(await measure(*case))
        sys.stderr.write(table(rows[-1:]).splitlines()[-1] + "\n")
    return rows


def main() -> int:
    """Answer the exit code: 1 where the program as it is now misses a target."""
    rows = asyncio.run(run(_parser().parse_args()))
    said = verdicts(rows)
    sys.stdout.write(table(rows) + "\n\n" + "\n".join(f"- {line}" for line in said) + "\n")
    return int(any(line.startswith("NOT MET") and "(now" in line for line in said))


if __name__ == "__main__":
    sys.exit(main())
