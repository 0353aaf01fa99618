"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from bot.domain.stages import diagram

README = Path(__file__).parents[2] / "README.md"


def test_the_diagram_in_the_readme_is_the_tables() -> None:
    blocks = re.findall(r"^```mermaid\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S)
    assert [block.strip() for block in blocks] == [diagram().strip()]
