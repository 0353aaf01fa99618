"""The Slack app, made by each test with the sessions that it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

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
