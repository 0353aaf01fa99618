"""Which of Slack's calls are counted together, and how many it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bot
from bot.adapters.slack.rate_limits import PER_MINUTE, UNPACED, budget_of
from bot.ports import Budget

CALL = re.compile(r"client\.((?:chat|conversations|files|users|views)_\w+)")


def test_messages_are_counted_by_channel() -> None:
    one, other = (budget_of("chat.postMessage", channel, 0.5) for channel in ("C1", "C2"))
    assert one is not None
    assert other == one._replace(name="chat.postMessage-C2")
    assert one.burst == 1
    assert 0.45 < one.per_second < 0.5, "a little slower than Slack's own limit"


def test_where_slack_takes_more_messages_it_takes_more_of_everything() -> None:
    assert budget_of("chat.update", "C1", 2.0) == Budget("chat.update", 100 / 60, burst=100)
    assert budget_of("chat.update", "C1", 0.5) == budget_of("chat.update", "C1", 1.0)


def test_everything_else_is_counted_by_method() -> None:
    assert budget_of("chat.update", "C1", 1.0) == Budget("chat.update", 50 / 60, burst=50)
    assert budget_of("chat.update", "C1", 1.0) == budget_of("chat.update", "C2", 1.0)


@pytest.mark.parametrize("method", ["views.open", "views.push", "auth.test"])
def test_what_has_a_trigger_never_waits(method: str) -> None:
    assert budget_of(method, "", 1.0) is None


def test_an_unknown_method_is_counted_by_a_cautious_tier() -> None:
    assert budget_of("reactions.add", "C1", 1.0) == Budget("reactions.add", 20 / 60, burst=20)


def test_every_method_that_is_called_stands_in_the_table() -> None:
    called = set[str]()
    for path in Path(bot.__file__).parent.rglob("*.py"):
        if "sandbox" not in path.parts:
            called |= {name.replace("_", ".", 1) for name in CALL.findall(path.read_text())}
    assert {"chat.postMessage", "chat.update", "files.getUploadURLExternal"} <= called
    assert called <= {*PER_MINUTE, *UNPACED, "chat.postMessage"}
