"""Attempts begin in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import bot

ROOT = Path(bot.__file__).parent
BEGINS, GATEWAY = "domain/begin.py", "service/gateway.py"


def test_only_the_gateway_knows_the_steps_that_begin_an_attempt() -> None:
    assert {name for name, tree in modules() if imports_begin(tree)} == {GATEWAY}


def test_only_these_steps_make_an_attempt() -> None:
    makers = {name for name, tree in modules() if "Attempt" in set(calls(tree))}
    assert makers == {BEGINS}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in ROOT.rglob("*.py"):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def imports_begin(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="bot.domain.begin"):
                return True
            case ast.ImportFrom(module="bot.domain", names=names):
                if any(name.name == "begin" for name in names):
                    return True
            case ast.Import(names=names):
                if any(name.name == "bot.domain.begin" for name in names):
                    return True
    return False


def calls(tree: ast.Module) -> Iterator[str]:
    """The names of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2]
