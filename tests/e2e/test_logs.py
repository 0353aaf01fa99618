"""What web and worker log: one JSON object a line, a session to be followed by its token, and
nothing that anybody typed, no secret and no image, however much is logged."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator

import pytest

from bot.sandbox import Fault
from tests.fake_openai import moderation_400, rate_limited
from tests.fake_openai.outcomes import Outcome
from tests.fake_openai.problems import Problem
from tests.support.logs import about, lines_of, until_told
from tests.support.processes import HastyProcess
from tests.support.scene import Scene, isolated_world, over_both

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOUD = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json", "OPENAI_LOG": "debug"}
"""As much is logged as can be. `OPENAI_LOG` is a switch of the SDK's own."""
PROCESS = HastyProcess
RUNS = [("web", LOUD), ("worker", LOUD)]

PROMPT = "a zebra nobody may read of"
CHANGE = "paint-it-in-ultramarine"
SAID = "your prompt was unspeakable"


async def refined(scene: Scene) -> None:
    """A first draft, another by Refine, approved."""
    await scene.imagine(f"{PROMPT} --n 2")
    first = await scene.draft()
    await scene.click(first, "Refine")
    await scene.form()
    assert (await scene.slack.submit(scene.alice, {"prompt": CHANGE})).ok
    await scene.approved(await scene.draft(after=first))
    web, worker = scene.world.processes
    token = await scene.token()
    await until_told(web, token, "received: an image is approved")
    await until_told(worker, token, "published")


async def test_a_session_is_followed_by_its_token_from_web_to_worker_to_provider(
    scene: Scene,
) -> None:
    await refined(scene)
    token = await scene.token()
    web, worker = (about(token, lines_of(process)) for process in scene.world.processes)

    received = [line for line in web if line["message"].startswith("received")]
    assert [(line["message"], line["attempt"]) for line in received] == [
        ("received: an attempt is asked for", 1),
        ("received: an attempt is asked for", 2),
        ("received: an image is approved", 2),
    ]
    told = [
        (line["message"], line["attempt"], line.get("candidate"))
        for line in worker
        if line["logger"].startswith(("bot.flow", "bot.generation", "bot.jobs"))
        and line["message"] != "announced"
        and line["level"] == "INFO"
    ]
    made = [(1, 1), (1, 2), (2, 1)]
    for message in (
        *("generating", "the provider works on it"),
        *("image recorded", "image uploaded"),
    ):
        assert sorted((n, c) for m, n, c in told if m == message) == made, message
    assert [(m, n) for m, n, _ in told if m in ("draft posted", "published")] == [
        ("draft posted", 1),
        ("draft posted", 2),
        ("published", 2),
    ]
    recorded = next(line for line in worker if line["message"] == "image recorded")
    assert recorded["bytes"] in {len(made.data) for made in scene.openai.made}
    assert 0 < recorded["seconds"] < 100
    assert {line["owner"] for line in [*web, *worker]} == {f"T0SANDBOX1.{scene.alice.id}"}

    ids = [create.headers["x-client-request-id"] for create in scene.openai.creates]
    assert sorted(ids) == [f"{token}.{number}.{candidate}" for number, candidate in made]
    jobs = {line["job"] for line in worker if "job" in line}
    assert {job.split("-")[0] for job in jobs} == {"announce", "generate", "publish"}
    assert all(token in job for job in jobs)


async def test_a_failure_is_a_warning_with_its_kind(scene: Scene) -> None:
    scene.openai.script(rate_limited(0.1), moderation_400())
    await scene.imagine(PROMPT)
    await scene.failure()
    await scene.until_stage("initial_input")
    token = await scene.token()
    warnings = [
        line["message"]
        for line in await until_told(
            scene.world.processes[1], token, "attempt 1 failed: moderation"
        )
        if line["level"] == "WARNING" and line["logger"].startswith(("bot.flow", "bot.generation"))
    ]
    assert warnings == [
        "a try brought no image: rate_limited",
        "no image: moderation",
        "attempt 1 failed: moderation",
    ]


async def test_a_cancellation_is_told_by_whoever_stops_the_work(scene: Scene) -> None:
    scene.openai.hold("generating")
    await scene.imagine(PROMPT)
    root = await scene.root()
    await scene.openai.until_held()
    await scene.click(root, "Cancel")
    await scene.shows(root, "Cancelled")
    token = await scene.token()
    web, worker = scene.world.processes
    await until_told(web, token, "received: the attempt is cancelled")
    await until_told(worker, token, "attempt 1 was cancelled")
    await until_told(worker, token, "the cancellation is shown")


async def test_a_refusal_is_told_by_its_reason(scene: Scene) -> None:
    await scene.imagine(PROMPT)
    draft = await scene.draft()
    await scene.click(draft, "Approve", scene.bob)
    await scene.told("can decide", scene.bob)
    await until_told(scene.world.processes[0], await scene.token(), "refused: not_allowed")


@over_both
async def test_however_much_is_logged_nothing_of_it_is_private(scene: Scene) -> None:
    """A whole loop, and much that goes wrong on the way: the provider quotes the prompt wherever it
    can, Slack is busy, lost and refuses, a form and a command are refused. Each way in has secrets
    of its own."""
    scene.slack.faults.add("chat.postMessage", Fault.http(503))
    scene.slack.faults.add("chat.update", Fault.rate_limited(0.1))
    scene.slack.faults.add(
        "chat.update",
        Fault(error=SAID),
        times=2,
        match=lambda args: "Queued" not in str(args),  # that would end the attempt
    )
    await refined(scene)

    another = Scene(scene.world)
    another.openai.always(quoting())
    await another.imagine(PROMPT)
    failure = await another.failure()
    another.openai.always(Outcome(name="broken", problem=Problem(500, SAID, code=SAID)))
    await another.click(failure, "Try again")
    await another.failure(after=failure)
    await another.imagine(f"{PROMPT} --ar {CHANGE}")
    await another.until_idle()

    for process in scene.world.processes:
        assert lines_of(process)
        for secret in private(scene):
            assert secret not in process.log


def quoting() -> Outcome:
    """400 whose every part is what somebody typed."""
    return Outcome(
        name="quoting", problem=Problem(400, f"{SAID}: {PROMPT}", type=SAID, code=SAID, param=SAID)
    )


def private(scene: Scene) -> Iterator[str]:
    world = scene.world
    yield from (PROMPT, CHANGE, SAID, "Traceback")
    yield from (world.slack.bot_token, world.slack.app_token, world.slack.signing_secret)
    yield from (world.openai.api_key, world.redis_url, "response_url", "trigger_id")
    for made in world.openai.made:
        yield base64.b64encode(made.data).decode()[:60]
        yield repr(made.data)[2:40]


async def test_prompt_and_change_are_logged_where_an_attempt_starts_if_asked_for(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    loud = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json", "LOG_PROMPTS": "1"}
    async with isolated_world(tmp_path_factory.mktemp("world")) as world:
        for command in ("web", "worker"):
            await world.run(command, **loud)
        scene = Scene(world)
        await refined(scene)
        starts = [
            line
            for process in world.processes
            for line in lines_of(process)
            if "prompt" in line or "change" in line
        ]
        assert [(s["message"], s["prompt"], s.get("change")) for s in starts] == [
            ("received: an attempt is asked for", PROMPT, None),
            ("received: an attempt is asked for", PROMPT, CHANGE),
            ("generating", PROMPT, None),
            ("generating", PROMPT, CHANGE),
        ]
        for process in world.processes:
            assert process.log.count(PROMPT) == 2
            assert process.log.count(CHANGE) == 1
            assert world.slack.bot_token not in process.log


async def test_a_start_that_fails_says_so_in_the_form_of_the_log(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with isolated_world(tmp_path_factory.mktemp("world")) as world:
        wrong = {"SLACK_BOT_TOKEN": "xoxb-wrong", "LOG_FORMAT": "json"}
        with pytest.raises(AssertionError, match="ended early"):
            await world.run("web", **wrong)
        (process,) = world.processes
        async with asyncio.timeout(30):
            while process.returncode is None:
                await asyncio.sleep(0.02)
        last = lines_of(process)[-1]
        assert (process.returncode, last["level"]) == (1, "CRITICAL")
        assert "SLACK_BOT_TOKEN" in last["message"]
        assert "xoxb-wrong" not in process.log
