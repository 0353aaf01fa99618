"""What the ledger says of real processes, beside what the provider charged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fake_openai import held, moderation_400, refusal_in_words, success
from tests.support.concurrent_tests import concurrent
from tests.support.ledger import assert_books_balance, counters, lines
from tests.support.processes import SHORT_LEASE
from tests.support.scene import Scene, isolated_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAKEN_OVER_WITHIN = 45.0


@concurrent
async def test_the_ledger_is_the_providers_book(tmp_path: Path) -> None:
    async with isolated_world(tmp_path, PARTIAL_IMAGES="2") as world:
        await world.run("dev")
        scene = Scene(world, "general")
        scene.slack.deliver_twice = True
        await scene.imagine("a fox on the moon --n 3 --quality high")
        draft = await scene.draft()
        scene.slack.deliver_twice = False
        await scene.click(draft, "Regenerate")
        await scene.draft(after=draft)
        await assert_books_balance(world.redis_url, world.openai)
        written = await lines(world.redis_url)
        assert [line["quality"] for line in written] == ["high"] * 6
        assert {line["model"] for line in written} == {"gpt-image-2.5-flare"}
        assert (await counters(world.redis_url, "asked")).total() == 6


@concurrent
async def test_a_refused_prompt_costs_what_the_provider_took_for_it(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        await world.run("dev")
        scene = Scene(world, "general")
        world.openai.script(refusal_in_words(), moderation_400())
        await scene.imagine("a fox")
        await scene.failure()
        await scene.imagine("a hen")
        await scene.until_idle()
        await assert_books_balance(world.redis_url, world.openai)


@concurrent
async def test_a_cancelled_image_gives_back_what_it_held(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        await world.run("dev")
        scene = Scene(world, "general")
        world.openai.hold("generating")
        await scene.imagine("a fox")
        await world.openai.until_held()
        assert (await counters(world.redis_url, "asked")).total() == 1
        await scene.click(await scene.root(), "Cancel")
        await scene.until_idle()
        await assert_books_balance(world.redis_url, world.openai)
        assert not (await lines(world.redis_url))
        assert (await counters(world.redis_url, "asked")).total() == 0


@concurrent
async def test_a_killed_workers_response_is_measured_by_the_next(tmp_path: Path) -> None:
    async with isolated_world(tmp_path, JOB_LEASE=str(SHORT_LEASE)) as world:
        await world.run("web")
        worker = await world.run("worker")
        scene = Scene(world, "general")
        world.openai.hold("generating")
        await scene.imagine("a fox")
        await world.openai.until_held()
        await world.run("worker")
        await worker.kill()
        world.openai.release()
        await scene.draft(timeout=TAKEN_OVER_WITHIN)
        await assert_books_balance(world.redis_url, world.openai)


@concurrent
async def test_an_answer_that_is_lost_with_its_worker_is_estimated(tmp_path: Path) -> None:
    settings = {"JOB_LEASE": str(SHORT_LEASE), "IMAGE_BACKEND": "images"}
    async with isolated_world(tmp_path, **settings) as world:
        await world.run("web")
        worker = await world.run("worker")
        scene = Scene(world, "general")
        world.openai.script(held("generating"), success())
        await scene.imagine("a fox")
        await world.openai.until_held()
        await world.run("worker")
        await worker.kill()
        world.openai.release()
        await scene.draft(timeout=TAKEN_OVER_WITHIN)
        await assert_books_balance(world.redis_url, world.openai, lost=1)
        assert (await counters(world.redis_url, "asked")).total() == 1


@concurrent
async def test_a_limit_refuses_in_private_and_offers_what_is_left(tmp_path: Path) -> None:
    async with isolated_world(tmp_path, USER_IMAGES_PER_DAY="3") as world:
        await world.run("dev")
        scene = Scene(world, "general")
        await scene.imagine("a fox & a hen --n 4")
        refusal = await scene.told("3 images a day: 3 are left, and this would be 4")
        assert "/imagine a fox &amp; a hen --n 4" in refusal.shown_text
        assert not await scene.sessions()
        assert not await counters(world.redis_url, "asked")
        await scene.click(refusal, "Make 3 images instead")
        draft = await scene.draft()
        assert len(draft.shown_images()) == 3
        await scene.told("Of your 3 images a day, 0 are left.")
        await scene.imagine("a hen")
        await scene.told("none is left")
        await assert_books_balance(world.redis_url, world.openai)
        assert len(await scene.sessions()) == 1
        assert len(world.openai.book) == 3


async def test_limits_of_an_owner_hold_a_long_prompt_and_a_form(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        scene = Scene(world, "general")
        slack = scene.slack
        scene.bob.is_owner, scene.alice.tz = True, "Asia/Kathmandu"
        await world.run("dev")
        await scene.imagine("settings", scene.bob)
        await slack.wait_for(lambda: slack.open_view(scene.bob), what="the form of limits")
        assert (await slack.submit(scene.bob, {"workspace/user_images_per_day": "2"})).ok
        await scene.told("images of a person in a day: 2 images", scene.bob)
        prompt = "a fox and a hen " * 240
        await scene.imagine(f"{prompt}--n 4")
        refusal = await scene.told("2 are left, and this would be 4 images")
        assert not await scene.sessions()
        await scene.click(refusal, "Make 2 images instead")
        draft = await scene.draft()
        assert len(draft.shown_images()) == 2
        assert (await scene.stored())["task_input"] == prompt.strip()
        await scene.click(draft, "Edit prompt")
        await scene.form()
        ack = await slack.submit(scene.alice, {"prompt": "a hen"})
        assert "at 05:45, your time" in ack.errors["prompt"]
        assert len(await scene.attempts()) == 1
        await assert_books_balance(world.redis_url, world.openai)
        assert slack.violations == []
