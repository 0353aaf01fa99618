"""`python -m tests.programs.chaos --sessions 300 --seed 7 --minutes 15 --mode socket`."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
from pathlib import Path

from tests.programs.chaos.plan import make_plan
from tests.programs.chaos.run import run


def main() -> int:
    """Exit code 1 where something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.chaos", description=__doc__)
    parser.add_argument("--sessions", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--mode", choices=("socket", "http"), default="socket")
    parser.add_argument("--folder", type=Path, help="default: artifacts/chaos/<mode>-<seed>")
    given = parser.parse_args()
    plan = make_plan(given.seed, given.sessions, given.minutes * 60.0, given.mode)
    folder: Path = given.folder or Path("artifacts/chaos") / f"{given.mode}-{given.seed}"
    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps(plan.to_json(), indent=1) + "\n")
    sys.stdout.write(f"{plan}\n")
    sys.stdout.flush()
    report = asyncio.run(run(plan, folder))
    report.write(folder)
    sys.stdout.write(f"{report}\n{folder / 'report.txt'}\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
