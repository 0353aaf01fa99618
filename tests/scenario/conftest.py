"""The Slack app, made by each test with the sessions that it needs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from slack_bolt.util import utils

from bot.domain.session import Session
from tests.scenario.slack_app import SlackApp

MakeApp = Callable[..., SlackApp]


@pytest.fixture
def make_app(monkeypatch: pytest.MonkeyPatch) -> MakeApp:
    def make(*sessions: Session, **options: Any) -> SlackApp:
        app = SlackApp(*sessions, **options)
        app.record(monkeypatch)
        return app

    return make


@pytest.fixture(scope="session", autouse=True)
def signatures_are_read_once() -> Iterator[None]:
    """Bolt reads those of all listeners for each app: most of what it takes to make one."""
    known: dict[object, inspect.FullArgSpec] = {}

    def getfullargspec(listener: Callable[..., Any]) -> inspect.FullArgSpec:
        code = getattr(listener, "__code__", listener)
        key = code, inspect.ismethod(listener)
        if key not in known:
            known[key] = inspect.getfullargspec(listener)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        names = {**vars(inspect), "getfullargspec": getfullargspec}
        patch.setattr(utils, "inspect", SimpleNamespace(**names))
        yield
