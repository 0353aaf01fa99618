"""docs/architecture.md tells of the tree as it is, and the unit tests mirror it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
UNIT = ROOT / "tests" / "unit"


def test_the_layers_that_it_names_are_those_that_are_checked() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    (layers,) = [c["layers"] for c in contracts if c.get("containers") == ["bot"]]
    drawn = re.search(r"^__main__ →.*?^```", PAGE, re.M | re.S)
    assert drawn is not None
    assert " ".join(drawn[0].strip("`\n").split()).split(" → ") == layers


def test_every_room_is_in_the_tree() -> None:
    tree = PAGE.split("```")[1]
    rooms = {path.parent.name for path in (ROOT / "bot").glob("*/__init__.py")}
    assert set(re.findall(r"^  (\w+)/ ", tree, re.M)) == rooms


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:bot|tests)/[\w/]+\.py)`", PAGE))))
def test_the_files_that_it_names_exist(path: str) -> None:
    assert (ROOT / path).is_file()


def test_each_unit_test_stands_where_its_module_does() -> None:
    for test in UNIT.rglob("test_*.py"):
        place = test.relative_to(UNIT)
        module = ROOT / "bot" / place.parent / place.name.removeprefix("test_")
        package = module.with_suffix("") / "__init__.py"
        assert module.is_file() or package.is_file(), f"{test.relative_to(ROOT)} mirrors nothing"
