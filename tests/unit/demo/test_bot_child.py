"""What the demo passes to the bot that it runs."""

import os
from typing import Any

import pytest

from bot.demo.bot_child import ROOT, environment
from bot.sandbox import Features, Page, SimulatedSlack
from bot.settings import Settings


def settings(**given: Any) -> Settings:
    return Settings.model_validate(given)


@pytest.fixture
async def page() -> Page:
    return Page(SimulatedSlack(), Features(), {})


async def test_bot_talks_to_the_simulated_workspace_only(page: Page) -> None:
    passed = environment(settings(slack_bot_token="xoxb-of-a-real-workspace"), page, "redis://here")
    assert passed["SLACK_API_URL"] == page.slack.api_url
    assert passed["SLACK_BOT_TOKEN"] == page.slack.bot_token
    assert passed["REDIS_URL"] == "redis://here"


async def test_settings_of_a_person_are_passed_on(page: Page) -> None:
    passed = environment(settings(openai_api_key="sk-mine"), page, "")
    assert passed["OPENAI_API_KEY"] == "sk-mine"


async def test_alice_is_an_admin_unless_others_are_named(page: Page) -> None:
    assert environment(settings(), page, "")["ADMINS"] == page.slack.user("alice").id
    assert environment(settings(admins="U0BOB00000"), page, "")["ADMINS"] == "U0BOB00000"


async def test_requests_to_the_workspace_pass_no_proxy(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    passed = environment(settings(), page, "")
    assert passed["NO_PROXY"] == f"intranet.example,{page.slack.host}"


async def test_bot_finds_its_own_package(page: Page) -> None:
    path = environment(settings(), page, "")["PYTHONPATH"]
    assert path.split(os.pathsep)[0] == str(ROOT)
    assert (ROOT / "bot" / "__main__.py").exists()
