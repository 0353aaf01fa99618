"""A short run: whatever is thrown at the program, what always holds, holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs.chaos.finding import Finding
from tests.programs.chaos.plan import make_plan
from tests.programs.chaos.run import run
from tests.support.processes import SHORT_LEASE

SESSIONS = 10
SECONDS = 12.0
MODE, SEED = "http", 16
"""The way in over which two webs share the requests."""


@pytest.mark.timeout(400)
async def test_nothing_is_lost_and_nothing_comes_twice(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    plan = make_plan(SEED, SESSIONS, SECONDS, MODE, SHORT_LEASE)

    report = await run(plan, tmp_path)

    report.write(tmp_path)
    for name, value in report.figures().items():
        record_property(name, value)
    violations = [finding for finding in report.violations if not _late(finding)]
    stories = [report.story(finding.session) for finding in violations if finding.session]
    assert not violations, "\n".join([str(report), *stories[:3]])
    people_came = report.evidence.last
    assert len(people_came) >= SESSIONS // 2, report
    assert any(session.newest_draft for session in people_came.values()), report
    thrown = {fault.what.split()[0] for fault in report.evidence.journal.of("fault")}
    assert {"kill", "restart", "cut", "openai"} <= thrown, thrown


def _late(finding: Finding) -> bool:
    """A machine with too much to do makes acks late, whatever the program does: the long run and
    `tests/e2e/test_acks.py` look at that."""
    return finding.check == "acked_in_time" and "operation_timeout" in finding.what
