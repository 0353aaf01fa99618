"""Redis Cluster: refused in plain words. The keys are laid out as one would need them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.adapters.queue.job_data import PREFIX
from bot.adapters.slack import slack_client, slack_session
from bot.ops.doctor import Verdict, check_redis
from bot.ops.startup import StartupError, check_at_start
from bot.sandbox import SimulatedSlack
from bot.settings import Backend, Settings
from tests.integration.redis_in_use import in_use
from tests.support.redis_servers import Server, cluster


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    with cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


async def test_the_check_says_what_to_use_instead(nodes: list[Server]) -> None:
    for node in nodes:
        (finding,) = await check_redis(node.url)
        assert finding.verdict is Verdict.WRONG
        assert "node of a cluster" in finding.text
        assert "Sentinels" in finding.advice


async def test_a_user_with_few_rights_is_told_as_well(nodes: list[Server]) -> None:
    with nodes[0].client() as admin:
        admin.execute_command("ACL", "SETUSER", "poor", "on", ">s3cr3t", "-@all")
    (finding,) = await check_redis(f"redis://poor:s3cr3t@127.0.0.1:{nodes[0].port}")
    assert "node of a cluster" in finding.text


async def test_the_program_does_not_start(
    nodes: list[Server], slack: SimulatedSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        slack_bot_token=SecretStr(slack.bot_token),
        redis_url=SecretStr(nodes[0].url),
        image_backend=Backend.PLACEHOLDER,
    )
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        with pytest.raises(StartupError, match="node of a cluster"):
            await check_at_start(settings, client, asyncio.Event(), web=False)


async def test_all_keys_of_a_workspace_share_a_slot_and_so_do_all_of_the_queue(
    redis_url: str, nodes: list[Server]
) -> None:
    """As scripts that touch several keys need it."""
    async with in_use(redis_url) as using:
        await using.works("one")
        await using.works("two")
    slots: dict[str, set[int]] = defaultdict(set)
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter()]
    with nodes[0].client() as client:
        for key in keys:
            tag = key[key.find("{") : key.find("}") + 1]
            slots[tag].add(client.execute_command("CLUSTER", "KEYSLOT", key))
    assert len(slots.pop("{T1}")) == 1
    assert len(slots.pop(PREFIX)) == 1
    assert slots.keys() == {""}  # the list of workspaces
