"""A short form of the budget's load."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs.load.budget import IMAGES, measure, table


@pytest.mark.timeout(240)
async def test_no_more_is_counted_than_a_limit_leaves_while_workers_are_killed(
    tmp_path: Path,
) -> None:
    """Of the images, which are counted with the money; `tests/property/test_books.py` has every
    limit."""
    row = await measure("images", 60, tmp_path, ("generating", "image"), between=1.0)
    assert not row.problems, table([row]) + "\n" + "\n".join(row.problems)
    assert row.accepted + row.refused == 60
    assert row.refused > row.accepted > 0
    assert row.charged >= IMAGES
    assert row.kills >= 2
    assert row.above == 0
