"""Logging and Python's hooks are the process's own: afterwards they are as pytest had them."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from bot.telemetry.logs import OURS
from tests.unit.telemetry.written import Written


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    for module, name in (
        (sys, "excepthook"),
        (sys, "unraisablehook"),
        (threading, "excepthook"),
        (warnings, "showwarning"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    before = root.handlers, root.level, ours.level
    written = Written()
    yield written
    written.set_up(prompts=False)
    root.handlers = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
