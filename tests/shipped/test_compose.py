"""docker-compose.yml agrees with the settings, with docs/redis.md, and with itself."""

from __future__ import annotations

import os
import re
import string
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr
from redis.backoff import NoBackoff
from redis.retry import Retry
from ruamel.yaml import YAML

from bot.ops.startup import StartupError, require_settings
from bot.settings import Settings
from tests.support.redis_servers import server

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OF_COMPOSE = {"PORT": "3000", "HEALTH_PORT": "8080"}
NOT_FOR_CONTAINERS = {"DATA_DIR"}
"""The image says where `dev`, which alone keeps data, keeps it."""
PASSED_ON = re.compile(r"OTEL_\w+|HTTPS_PROXY|NO_PROXY")
"""What other libraries read."""
SHELL = SERVICES["redis"]["command"][:4]
"""What writes the users' file before the server starts."""
PASSWORDS = {"REDIS_PASSWORD": "0a1b2c", "REDIS_ADMIN_PASSWORD": "3d4e5f"}
SECRETS = {
    name.upper() for name, field in Settings.model_fields.items() if field.annotation is SecretStr
}


def needed(*, web: bool, worker: bool, socket_mode: bool = False) -> set[str]:
    """The secrets without which such a process does not start."""
    given: dict[str, Any] = {name.lower(): SecretStr("0123456789abcdef" * 2) for name in SECRETS}
    if not socket_mode:
        given["slack_app_token"] = SecretStr("")
    missed = set()
    for name in given:
        settings = Settings(_env_file=None, **(given | {name: SecretStr("")}))  # type: ignore[call-arg]
        try:
            require_settings(settings, web=web, worker=worker)
        except StartupError:
            missed.add(name.upper())
    return missed


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_each_process_gets_the_secrets_that_it_needs_and_no_others() -> None:
    web = SECRETS & SERVICES["web"]["environment"].keys()
    worker = SECRETS & SERVICES["worker"]["environment"].keys()
    assert web == needed(web=True, worker=False) | {"SLACK_APP_TOKEN"}  # for Socket Mode
    optional = {"AUDIT_KEY", "AUDIT_KEY_FALLBACKS"}
    assert worker == needed(web=False, worker=True) | optional
    assert "OPENAI_API_KEY" not in web
    assert not {"SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"} & worker


@pytest.mark.parametrize("name", ["web", "worker"])
def test_each_process_gets_every_other_setting_and_nothing_unknown(name: str) -> None:
    given = SERVICES[name]["environment"]
    settings = {field.upper() for field in Settings.model_fields} - NOT_FOR_CONTAINERS
    assert settings - SECRETS <= given.keys()
    assert [other for other in given.keys() - settings if not PASSED_ON.fullmatch(other)] == []
    assert {name: given[name] for name in OF_COMPOSE} == OF_COMPOSE
    written = {name for name, value in given.items() if value is not None}
    assert written == {*OF_COMPOSE, "REDIS_URL"}  # the others are taken from .env


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_is_given_a_whole_file_of_secrets(name: str) -> None:
    assert "env_file" not in SERVICES[name]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_locked_down(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert all("size=" in mount and "noexec" in mount for mount in service["tmpfs"])
    assert service["mem_limit"]
    assert service["pids_limit"] > 0
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & service.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_that_is_read_only_is_given_a_file_that_compose_would_have_to_write(
    name: str,
) -> None:
    """Compose refuses to create such a container (docker/compose#12031)."""
    assert not {"configs", "secrets"} & SERVICES[name].keys()


def test_the_bots_user_is_the_images() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert f"USER {SERVICES['web']['user']}\n" in dockerfile
    assert SERVICES["web"]["user"] == SERVICES["worker"]["user"]


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_that_is_not_built_here_is_pinned_by_its_digest(name: str) -> None:
    service = SERVICES[name]
    pinned = re.compile(r"[\w./-]+:\d+\.\d+\.\d+@sha256:[0-9a-f]{64}")
    assert service.get("build") == "." or pinned.fullmatch(service["image"])


def test_redis_is_reached_by_web_and_worker_alone() -> None:
    assert COMPOSE["networks"]["redis"]["internal"] is True
    assert SERVICES["redis"]["networks"] == ["redis"]
    assert "ports" not in SERVICES["redis"]
    for name in ("web", "worker"):
        assert set(SERVICES[name]["networks"]) == {"redis", "outside"}
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published == ["${WEB_ADDRESS:-127.0.0.1}:${PORT:-3000}:3000"]


def test_a_process_has_longer_to_stop_than_it_takes() -> None:
    grace = Settings.model_fields["shutdown_grace"].default
    for name in ("web", "worker"):
        patience = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
        assert patience >= grace + 8  # what was answered in private, and open requests


def test_redis_runs_as_the_queue_needs_it() -> None:
    name, *options = SERVICES["redis"]["command"][len(SHELL) :]
    assert name == "valkey-server"
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert given == {
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--maxmemory": "${REDIS_MAXMEMORY:-1gb}",
        "--maxmemory-policy": "noeviction",
        "--aclfile": "/tmp/users.acl",
    }
    most = int(re.sub(r"\D", "", SERVICES["redis"]["mem_limit"]))
    assert most > 2 * 1  # twice --maxmemory, in GB


def filled_in(text: str) -> str:
    """The text as Compose fills it in."""
    plain = re.sub(r"\$\{(\w+):\?[^}]*\}", r"${\1}", text)
    return string.Template(plain).substitute(PASSWORDS)


def test_the_users_of_redis_are_those_of_the_docs_and_nobody_else_comes_in(tmp_path: Path) -> None:
    """The file of users, written as the container's start does, and given to a real server."""
    told = filled_in(SERVICES["redis"]["environment"]["REDIS_USERS"])
    shell = [word.replace("$$", "$").replace("/tmp", str(tmp_path)) for word in SHELL]
    subprocess.run([*shell, "true"], env={**os.environ, "REDIS_USERS": told}, check=True)
    users = tmp_path / "users.acl"
    assert users.stat().st_mode & 0o777 == 0o600
    line = re.search(r"^ACL SETUSER imagine [^`]*", (ROOT / "docs/redis.md").read_text(), re.M)
    assert line is not None
    documented = line.group().replace("\\\n", " ").replace("PASSWORD", "0a1b2c").split()[3:]
    (written,) = (each for each in users.read_text().splitlines() if "user imagine" in each)
    assert written.split()[2:] == documented
    url = filled_in(SERVICES["worker"]["environment"]["REDIS_URL"])
    with server(tmp_path / "redis", "--aclfile", str(users)) as started:
        url = url.replace("redis:6379", f"127.0.0.1:{started.port}")
        with redis.Redis.from_url(url) as bot:
            assert bot.set("imagine:a", "b")
            for command in (["CONFIG", "GET", "*"], ["FLUSHALL"], ["KEYS", "*"], ["GET", "other"]):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    bot.execute_command(*command)
        admin_password = PASSWORDS["REDIS_ADMIN_PASSWORD"]
        with redis.Redis(port=started.port, username="admin", password=admin_password) as admin:
            assert admin.config_get("appendonly")
        for wrong in ("", ":0a1b2c@", "imagine:guessed@"):
            url = f"redis://{wrong}127.0.0.1:{started.port}"
            with (
                redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as stranger,
                pytest.raises(redis.exceptions.AuthenticationError),
            ):
                stranger.ping()


def test_the_health_check_logs_in() -> None:
    service = SERVICES["redis"]
    test = service["healthcheck"]["test"]
    assert test == ["CMD", "valkey-cli", "--user", "admin", "-e", "ping"]
    assert service["environment"].keys() == {"REDISCLI_AUTH", "REDIS_USERS"}
    assert "REDIS_ADMIN_PASSWORD" in service["environment"]["REDISCLI_AUTH"]
