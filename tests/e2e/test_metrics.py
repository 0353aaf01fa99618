"""What the processes tell of themselves, after a person's work with a failure in it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox import Fault
from tests.fake_openai import incomplete
from tests.support.metrics import Scrape, ask, scrape
from tests.support.processes import World, free_port

PRIVATE = "a-very-private-prompt"
WAIT = 60.0

Told = dict[tuple[str, ...], float]


async def until_told(port: int, true: Callable[[Scrape], bool]) -> Scrape:
    """What a process tells, once that is so; some of it counts only after it can be seen."""
    async with asyncio.timeout(WAIT):
        while True:
            scraped = await scrape(port)
            if true(scraped):
                return scraped
            await asyncio.sleep(0.1)


async def until_answer(port: int, path: str, status: int) -> dict[str, Any]:
    async with asyncio.timeout(WAIT):
        while True:
            answered, _, text = await ask(port, path)
            if answered == status:
                answer: dict[str, Any] = json.loads(text)
                return answer
            await asyncio.sleep(0.05)


async def run_both(world: World, **changes: str) -> tuple[int, int]:
    """Start web and worker, and answer the ports on which they tell."""
    web, worker = free_port(), free_port()
    await world.run("web", HEALTH_PORT=str(web), **changes)
    await world.run("worker", HEALTH_PORT=str(worker), **changes)
    return web, worker


@pytest.mark.parametrize("world", ["http"], indirect=True)
async def test_a_whole_loop_with_a_failure_is_counted_exactly(world: World) -> None:
    """Over HTTP, where the port for Slack tells the same."""
    web, worker = await run_both(world)
    slack, openai = world.slack, world.openai
    alice, bob, general = slack.user("alice"), slack.user("bob"), slack.channel("general")
    openai.plan.queue.append(incomplete())
    slack.faults.add("chat.postMessage", Fault.http(503))

    assert (await slack.slash(alice, general, "/imagine", PRIVATE)).ok
    root = await slack.wait_for_message(general, text=PRIVATE, timeout=WAIT)
    failure = await slack.wait_for_message(
        general, thread_ts=root.ts, button="Try again", timeout=WAIT
    )
    assert (await slack.click(alice, failure, "Try again")).ok
    draft = await slack.wait_for_message(general, thread_ts=root.ts, button="Approve", timeout=WAIT)
    assert (await slack.click(bob, draft, "Approve")).ok  # it is not his
    assert (await slack.click(alice, draft, "Approve")).ok
    await slack.wait_for_message(general, thread_ts=root.ts, button="Start over", timeout=WAIT)

    told = await until_told(web, lambda s: sum(s.nonzero("imagine_requests_total").values()) == 4)
    assert told.nonzero("imagine_requests_total") == {
        ("slash_command", "/imagine", "ok"): 1,
        ("block_action", "try_again", "ok"): 1,
        ("block_action", "approve", "refused"): 1,
        ("block_action", "approve", "ok"): 1,
    }
    assert told.nonzero("imagine_ack_seconds_count") == {
        ("slash_command",): 1,
        ("block_action",): 3,
    }
    assert told.nonzero("imagine_stage_changes_total") == {("generating",): 2, ("final",): 1}
    assert told.nonzero("imagine_jobs_total") == {}
    assert told.of("imagine_queue_jobs", queue="generate", state="waiting") is None

    jobs: Told = {("announce", "done"): 2, ("generate", "done"): 2, ("publish", "done"): 1}
    told = await until_told(worker, lambda s: s.nonzero("imagine_jobs_total") == jobs)
    assert told.nonzero("imagine_job_seconds_count") == {
        ("announce",): 2, ("generate",): 2, ("publish",): 1,
    }  # fmt: skip
    assert told.of("imagine_images_paid_total", backend="responses") == openai.paid == 1
    assert told.nonzero("imagine_provider_errors_total") == {("no_image",): 1}
    assert told.nonzero("imagine_generation_seconds_count") == {
        ("responses", "ok"): 1,
        ("responses", "failed"): 1,
    }
    assert told.of("imagine_images_in_flight") == 0
    assert told.of("imagine_draft_seconds_count") == 1
    assert told.nonzero("imagine_stage_changes_total") == {
        ("initial_input",): 1,
        ("user_feedback",): 1,
    }
    assert told.nonzero("imagine_slack_errors_total") == {("unavailable", "chat.postMessage"): 1}
    assert told.nonzero("imagine_store_errors_total") == {}
    assert told.nonzero("imagine_requests_total") == {}
    assert told.of("imagine_queue_jobs", queue="generate", state="waiting") == 0
    assert told.of("imagine_queue_oldest_seconds", queue="publish") == 0
    assert told.nonzero("imagine_sessions")  # as they stood when it was first asked

    for port in (web, worker, world.port):
        assert (await ask(port, "/readyz"))[0] == 200
        text = (await scrape(port)).text
        for secret in (PRIVATE, alice.id, bob.id, general.id, slack.bot_token, openai.api_key):
            assert secret not in text
        assert "process_resident_memory_bytes" in text


async def test_invented_commands_and_buttons_never_become_labels(socket_world: World) -> None:
    web, _ = await run_both(socket_world)
    slack = socket_world.slack
    alice, general = slack.user("alice"), slack.channel("general")
    pressed = {
        "type": "block_actions",
        "team": {"id": slack.team_id},
        "user": {"id": alice.id, "team_id": slack.team_id},
        "channel": {"id": general.id},
        "trigger_id": "1.2",
        "actions": [{"type": "button", "action_id": "", "block_id": "b", "value": PRIVATE}],
    }
    for number in range(3):
        command = f"/{PRIVATE}-{number}"
        assert (await slack.slash(alice, general, command, PRIVATE)).ok
        pressed["actions"] = [{"type": "button", "action_id": f"{PRIVATE}-{number}"}]
        assert (await slack.delivery.deliver_action("interactive", pressed, 3.0)).ok
    told = await until_told(web, lambda s: sum(s.nonzero("imagine_requests_total").values()) == 6)
    assert told.nonzero("imagine_requests_total") == {
        ("slash_command", "other", "unhandled"): 3,
        ("block_action", "other", "unhandled"): 3,
    }
    assert PRIVATE not in told.text


async def test_a_web_process_without_a_connection_is_not_ready(socket_world: World) -> None:
    web = free_port()
    await socket_world.run("web", HEALTH_PORT=str(web))
    assert (await ask(web, "/readyz"))[0] == 200
    socket_world.slack.faults.add("apps.connections.open", Fault.http(503), times=1_000)
    await socket_world.slack.disconnect_sockets(abrupt=True)
    answer = await until_answer(web, "/readyz", 503)
    assert answer["reason"] == "no Socket Mode connection is open"
    assert (await ask(web, "/healthz"))[0] == 200
    socket_world.slack.faults.clear()
    await until_answer(web, "/readyz", 200)


async def test_a_worker_that_ends_says_so_until_its_last_image_is_made(
    socket_world: World,
) -> None:
    _, worker = await run_both(socket_world, SHUTDOWN_GRACE="60")
    slack, openai = socket_world.slack, socket_world.openai
    alice, general = slack.user("alice"), slack.channel("general")
    openai.hold("generating")
    assert (await slack.slash(alice, general, "/imagine", PRIVATE)).ok
    await openai.until_held(1, timeout=WAIT)
    told = await until_told(worker, lambda s: s.of("imagine_images_in_flight") == 1)
    assert told.of("imagine_queue_jobs", queue="generate", state="active") == 1
    assert (await ask(worker, "/readyz"))[0] == 200
    process = socket_world.processes[-1]
    ending = asyncio.create_task(process.stop(signal.SIGTERM, timeout=WAIT))
    answer = await until_answer(worker, "/readyz", 503)
    assert answer["reason"] == "stopping"
    assert (await ask(worker, "/healthz"))[0] == 200
    openai.release()
    assert await ending == 0
