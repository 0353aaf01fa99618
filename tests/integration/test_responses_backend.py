"""The Responses backend against the fake provider, over real HTTP."""

import asyncio
import io
import time
from dataclasses import replace

import pytest
from PIL import Image

from bot.adapters.openai import client, event_stream, response_poller
from bot.domain.failures import FailureKind
from bot.domain.images import ImageRequest
from bot.domain.options import Options
from tests import fake_openai as fakes
from tests.fake_openai import FakeOpenAI, Outcome, Point
from tests.fake_openai.problems import Problem
from tests.fakes import FakeCheckpoint
from tests.integration.responses import (
    REQUEST,
    Backend,
    failure,
    shows,
)

POINTS: list[Point] = ["created", "generating", "partials", "image", "item_done", "end"]
WITHOUT_IMAGE: list[Point] = ["created", "generating", "partials", "image"]


def no_such_call(status: int) -> Outcome:
    return Outcome(name="no such call", problem=Problem(status, "I don't know that."))


# An image arrives


async def test_brings_the_image_and_asks_as_the_api_wants_it(
    fake: FakeOpenAI, backend: Backend
) -> None:
    checkpoint = FakeCheckpoint()
    image = await backend(quality="low").generate(REQUEST, checkpoint)
    assert shows(image, fake)
    assert (image.mime_type, image.width, image.height) == ("image/png", 64, 64)
    assert image.revised_prompt.startswith("A detailed picture")
    assert checkpoint.started == [image.response_id]
    assert [one.body for one in fake.creates] == [
        {
            "model": "gpt-5.6-luna",
            "input": REQUEST.prompt,
            "stream": True,
            "background": True,
            "store": True,
            "safety_identifier": "u" * 64,
            "tool_choice": {"type": "image_generation"},
            "tools": [
                {
                    "type": "image_generation",
                    "model": "gpt-image-2.5-flare",
                    "size": "1024x1024",
                    "quality": "low",
                    "output_format": "png",
                    "partial_images": 0,
                    "action": "generate",
                }
            ],
        }
    ]
    assert len(fake.requests) == fake.paid == 1


@pytest.mark.parametrize("background", [True, False])
async def test_an_image_knows_the_model_that_made_it(
    fake: FakeOpenAI, backend: Backend, background: bool
) -> None:
    """The setting may be another one when an earlier run's response is taken up."""
    checkpoint = FakeCheckpoint()
    image = await backend(background=background).generate(REQUEST, checkpoint)
    assert image.model == "gpt-image-2.5-flare"
    later = backend(background=background, model="gpt-image-2.6-flare")
    again = await later.generate(replace(REQUEST, response_id=checkpoint.started[0]), checkpoint)
    assert (again.data, again.model) == (image.data, image.model)
    assert fake.paid == 1


async def test_plain_calls_say_nothing_of_background_and_store(
    fake: FakeOpenAI, backend: Backend
) -> None:
    image = await backend(background=False).generate(ImageRequest("a robot"), FakeCheckpoint())
    assert shows(image, fake)
    keys = fake.creates[0].body.keys()
    assert not keys & {"background", "store", "safety_identifier"}


@pytest.mark.parametrize("background", [True, False])
async def test_tells_the_id_before_the_image_is_there(
    fake: FakeOpenAI, backend: Backend, background: bool
) -> None:
    fake.hold("generating")
    checkpoint = FakeCheckpoint()
    running = asyncio.create_task(backend(background=background).generate(REQUEST, checkpoint))
    await fake.until(lambda: checkpoint.started)
    assert fake.paid == 0
    fake.release()
    assert (await running).response_id == checkpoint.started[0]


async def test_an_id_that_cannot_be_recorded_does_not_cost_the_image(
    fake: FakeOpenAI, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    class StoreIsAway(FakeCheckpoint):
        async def response_started(self, response_id: str) -> None:
            raise TimeoutError("redis://:secret@host")

    assert shows(await backend().generate(REQUEST, StoreIsAway()), fake)
    assert fake.paid == 1
    assert "TimeoutError" in caplog.text
    assert "secret" not in caplog.text


async def test_webp_becomes_png(fake: FakeOpenAI, backend: Backend) -> None:
    fake.script(fakes.webp())
    image = await backend().generate(REQUEST, FakeCheckpoint())
    assert image.mime_type == "image/png"
    with Image.open(io.BytesIO(image.data)) as png:
        assert png.size == (image.width, image.height) == (64, 64)


async def test_many_large_images_at_once(fake: FakeOpenAI, backend: Backend) -> None:
    fake.image_size_bytes = 1_500_000
    one = backend()
    images = await asyncio.gather(*(one.generate(REQUEST, FakeCheckpoint()) for _ in range(20)))
    assert {image.data for image in images} == {made.data for made in fake.made}
    assert fake.paid == len(fake.creates) == 20


# Background mode refused


async def test_goes_on_without_background_mode_and_remembers(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.always(fakes.background_unsupported())
    one, checkpoint = backend(), FakeCheckpoint()
    first = await one.generate(REQUEST, checkpoint)
    second = await one.generate(REQUEST, checkpoint)
    assert checkpoint.started == [first.response_id, second.response_id]
    assert ["background" in create.body for create in fake.creates] == [True, False, False]
    assert fake.paid == 2


async def test_a_refusal_of_something_else_does_not_end_background_mode(
    fake: FakeOpenAI, backend: Backend
) -> None:
    unsupported = fakes.bad_request("unsupported_parameter", "tools[0].quality")
    fake.script(unsupported, unsupported)
    one, chosen = backend(), replace(REQUEST, options=Options(quality="max"))
    for _ in range(2):
        assert (await failure(one, chosen)).kind is FailureKind.BAD_REQUEST
    await one.generate(REQUEST, FakeCheckpoint())
    assert all(create.body["background"] for create in fake.creates)
    assert (len(fake.creates), fake.paid) == (3, 1)


# Every ending without an image


ENDINGS = [
    (fakes.moderation_400(), FailureKind.MODERATION),
    (fakes.moderation_stream_error(), FailureKind.MODERATION),
    (fakes.moderation_stream_error(nested=True), FailureKind.MODERATION),
    (fakes.moderation_failed_item(), FailureKind.MODERATION),
    (fakes.moderation_failed_item(response_completes=True), FailureKind.MODERATION),
    (fakes.response_failed("image_content_policy_violation"), FailureKind.MODERATION),
    (fakes.incomplete("content_filter"), FailureKind.MODERATION),
    (fakes.insufficient_quota(), FailureKind.QUOTA),
    (fakes.billing_hard_limit_reached(), FailureKind.QUOTA),
    (fakes.billing_hard_limit_reached(400), FailureKind.QUOTA),
    (fakes.credit_balance_exhausted(), FailureKind.QUOTA),
    (fakes.limit_exceeded(), FailureKind.QUOTA),
    (fakes.stream_error("insufficient_quota"), FailureKind.QUOTA),
    (fakes.stream_error("insufficient_quota", nested=True), FailureKind.QUOTA),
    (fakes.invalid_api_key(), FailureKind.BAD_KEY),
    (fakes.org_not_verified(), FailureKind.UNVERIFIED),
    (fakes.model_not_found(), FailureKind.MODEL_UNAVAILABLE),
    (fakes.country_not_supported(), FailureKind.COUNTRY_REFUSED),
    (fakes.blocked_by_firewall(), FailureKind.BLOCKED),
    (fakes.bad_request(), FailureKind.BAD_REQUEST),
    (fakes.response_failed("invalid_image_mode"), FailureKind.BAD_REQUEST),
    (fakes.rate_limited(1), FailureKind.RATE_LIMITED),
    (fakes.rate_limited(None, "slow_down", status=503), FailureKind.RATE_LIMITED),
    (fakes.stream_error("rate_limit_exceeded"), FailureKind.RATE_LIMITED),
    (fakes.response_failed("rate_limit_exceeded"), FailureKind.RATE_LIMITED),
    (fakes.server_error(), FailureKind.PROVIDER_DOWN),
    (fakes.server_error(502, html=True), FailureKind.PROVIDER_DOWN),
    (fakes.stream_error("server_error"), FailureKind.PROVIDER_DOWN),
    (fakes.stream_error("server_error", nested=True), FailureKind.PROVIDER_DOWN),
    (fakes.response_failed(), FailureKind.PROVIDER_DOWN),
    (fakes.connection_dropped(paid=False), FailureKind.PROVIDER_DOWN),
    (fakes.refusal_in_words(), FailureKind.DECLINED),
    (fakes.completed_without_anything(), FailureKind.NO_IMAGE),
    (fakes.incomplete(), FailureKind.NO_IMAGE),
]


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize(("outcome", "kind"), ENDINGS, ids=lambda value: getattr(value, "name", ""))
async def test_every_ending_without_an_image(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome, kind: FailureKind, background: bool
) -> None:
    tries = (10 if background else 9) if outcome.name == "bad_request" else 1
    fake.script(*[outcome] * tries)
    error = await failure(backend(background=background))
    assert error.kind is kind
    assert bool(error.said) is (kind is FailureKind.DECLINED)
    assert len(fake.requests) == tries
    assert fake.paid == 0


@pytest.mark.parametrize("outcome", [fakes.invalid_base64(), fakes.not_an_image()])
async def test_a_result_that_is_no_image(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome
) -> None:
    fake.script(outcome)
    assert (await failure(backend())).kind is FailureKind.BAD_IMAGE
    assert len(fake.requests) == fake.paid == 1


async def test_a_refusal_in_words_is_quoted_in_part(fake: FakeOpenAI, backend: Backend) -> None:
    fake.script(fakes.refusal_in_words("  I can't draw that person.\n"))
    assert (await failure(backend())).said == "I can't draw that person."
    fake.script(fakes.refusal_in_words("no " * 1000))
    said = (await failure(backend())).said
    assert said.startswith("no no")
    assert 590 < len(said) <= 600


@pytest.mark.parametrize("key", ["sk-wrong", "", "sk-\u2013dash"])
async def test_a_wrong_key(fake: FakeOpenAI, backend: Backend, key: str) -> None:
    one = backend(key=key or " ")
    assert (await failure(one)).kind is FailureKind.BAD_KEY
    assert fake.paid == 0


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (fakes.rate_limited(7), 7.0),
        (fakes.rate_limited(0.4, milliseconds=True), 0.4),
        (fakes.rate_limited("Wed, 21 Oct 2015 07:28:00 GMT"), 0.0),
        (fakes.rate_limited(None), None),
    ],
)
async def test_how_long_the_provider_asks_to_wait(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome, seconds: float | None
) -> None:
    fake.script(outcome)
    error = await failure(backend())
    assert (error.kind, error.retry_after) == (FailureKind.RATE_LIMITED, seconds)
    assert len(fake.creates) == 1


async def test_nobody_listens(fake: FakeOpenAI, backend: Backend) -> None:
    one = backend()
    await fake.stop()
    assert (await failure(one)).kind is FailureKind.PROVIDER_DOWN


async def test_logs_neither_the_key_nor_the_message(
    fake: FakeOpenAI, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    fake.script(fakes.invalid_api_key())
    await failure(backend())
    assert "status 401, code invalid_api_key" in caplog.text
    assert "sk-" not in caplog.text


# The stream breaks


@pytest.mark.parametrize("cut", ["drop", "end"])
@pytest.mark.parametrize("point", POINTS)
async def test_goes_on_after_a_broken_stream(
    fake: FakeOpenAI, backend: Backend, cut: str, point: Point
) -> None:
    dropped = fakes.connection_dropped(point)
    fake.script(dropped if cut == "drop" else replace(dropped, cut="end"))
    checkpoint = FakeCheckpoint()
    image = await backend().generate(REQUEST, checkpoint)
    assert shows(image, fake)
    assert checkpoint.started == [image.response_id]
    assert len(fake.creates) == fake.paid == 1


async def test_goes_on_after_the_last_event_heard(fake: FakeOpenAI, backend: Backend) -> None:
    fake.script(fakes.connection_dropped(3))
    await backend().generate(REQUEST, FakeCheckpoint())
    assert fake.requests[1].query == {"stream": "true", "starting_after": "2"}
    assert fake.paid == 1


@pytest.mark.parametrize("point", WITHOUT_IMAGE)
@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (fakes.connection_dropped(), FailureKind.PROVIDER_DOWN),
        (fakes.ends_silently(), FailureKind.STREAM_ENDED),
    ],
)
async def test_a_broken_plain_call_cannot_be_taken_up(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome, point: Point, kind: FailureKind
) -> None:
    fake.script(fakes.held("image", replace(outcome, cut_at=point)))
    assert (await failure(backend(background=False))).kind is kind
    assert len(fake.creates) == 1


@pytest.mark.parametrize("cut", ["drop", "end"])
async def test_a_plain_call_that_the_provider_finished_all_the_same_is_fetched(
    fake: FakeOpenAI, backend: Backend, cut: str
) -> None:
    fake.keeps_abandoned = True
    dropped = fakes.connection_dropped("image")
    fake.script(dropped if cut == "drop" else replace(dropped, cut="end"))
    assert shows(await backend(background=False).generate(REQUEST, FakeCheckpoint()), fake)
    assert len(fake.creates) == fake.paid == 1


@pytest.mark.parametrize(
    "outcome", [fakes.connection_dropped("item_done"), fakes.ends_silently(with_image=True)]
)
async def test_an_image_that_came_before_the_break_is_kept(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome
) -> None:
    fake.script(outcome)
    assert shows(await backend(background=False).generate(REQUEST, FakeCheckpoint()), fake)
    assert len(fake.requests) == fake.paid == 1


async def test_an_end_that_never_comes_is_not_waited_for(
    fake: FakeOpenAI, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "LINGER", 0.05)
    fake.script(fakes.hang("item_done"))
    begun = time.monotonic()
    assert shows(await backend().generate(REQUEST, FakeCheckpoint()), fake)
    assert time.monotonic() - begun < 4  # of the 5 s that it lingers otherwise
    assert fake.paid == 1


async def test_a_stream_gone_silent_is_opened_again(
    fake: FakeOpenAI, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "SILENCE", 0.1)
    fake.script(fakes.hang("generating"))
    begun = time.monotonic()
    assert shows(await backend().generate(REQUEST, FakeCheckpoint()), fake)
    assert time.monotonic() - begun < 30  # of the 60 s that it stands otherwise
    assert len(fake.creates) == fake.paid == 1


@pytest.mark.parametrize(
    "reads",
    [
        [fakes.server_error()],
        [fakes.connection_dropped()],
        [fakes.bad_request(None, "stream")],
        [fakes.bad_request(None, "stream"), fakes.server_error(503)],
    ],
)
async def test_a_read_that_fails_once_is_not_the_end(
    fake: FakeOpenAI, backend: Backend, reads: list[Outcome]
) -> None:
    fake.script(fakes.connection_dropped("generating"))
    fake.script_reads(*reads)
    assert shows(await backend().generate(REQUEST, FakeCheckpoint()), fake)
    assert len(fake.creates) == fake.paid == 1


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_server_that_has_no_way_to_read(
    fake: FakeOpenAI, backend: Backend, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(client, "FREE_RETRIES", 0)
    fake.script(fakes.connection_dropped("generating"))
    fake.script_reads(*[no_such_call(status)] * 2)
    assert (await failure(backend())).kind is FailureKind.PROVIDER_DOWN
    assert len(fake.creates) == 1


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (fakes.moderation_failed_item(), FailureKind.MODERATION),
        (fakes.response_failed(), FailureKind.PROVIDER_DOWN),
        (fakes.incomplete(), FailureKind.NO_IMAGE),
        (fakes.refusal_in_words(), FailureKind.DECLINED),
    ],
)
async def test_a_failure_behind_a_broken_stream_is_still_told(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome, kind: FailureKind
) -> None:
    fake.script(replace(outcome, cut="drop", cut_at="created"))
    assert (await failure(backend())).kind is kind
    assert len(fake.creates) == 1
    assert fake.paid == 0


async def test_a_response_that_somebody_cancelled(fake: FakeOpenAI, backend: Backend) -> None:
    fake.script(fakes.held("generating"))
    running = asyncio.create_task(failure(backend()))
    await fake.until_held()
    next(iter(fake.responses.values())).cancel()
    assert (await running).kind is FailureKind.STREAM_ENDED
    assert (len(fake.creates), fake.paid) == (1, 0)


# Time runs out


@pytest.mark.parametrize("background", [True, False])
async def test_no_answer_in_time(fake: FakeOpenAI, backend: Backend, background: bool) -> None:
    fake.script(fakes.hang())
    error = await failure(backend(timeout=1.0, background=background))
    assert error.kind is FailureKind.TIMED_OUT
    assert not error.retryable
    assert len(fake.requests) == 1


async def test_a_late_background_response_is_cancelled_before_it_costs(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.script(fakes.held("generating"))
    assert (await failure(backend(timeout=1.0))).kind is FailureKind.TIMED_OUT
    (job,) = fake.responses.values()
    assert job.status == "cancelled"
    assert fake.requests[-1].path.endswith("/cancel")
    assert (len(fake.creates), fake.paid) == (1, 0)


async def test_a_late_plain_call_is_left_alone(fake: FakeOpenAI, backend: Backend) -> None:
    fake.script(fakes.held("generating"))
    error = await failure(backend(timeout=1.0, background=False))
    assert error.kind is FailureKind.TIMED_OUT
    assert len(fake.requests) == 1


async def test_the_last_look_finds_an_image_that_nobody_told_of(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.script(fakes.hang("generating"))
    image = await backend(timeout=1.0).generate(REQUEST, FakeCheckpoint())
    assert shows(image, fake)
    assert len(fake.creates) == fake.paid == 1


async def test_the_last_look_may_fail(
    fake: FakeOpenAI, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_poller, "LAST_LOOK", 0.1)
    fake.script(fakes.held("generating"))
    fake.script_reads(fakes.hang())
    assert (await failure(backend(timeout=1.0))).kind is FailureKind.TIMED_OUT
    assert len(fake.creates) == 1


async def test_cancellation_passes_and_the_response_goes_on(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.hold("generating")
    checkpoint = FakeCheckpoint()
    running = asyncio.create_task(backend().generate(REQUEST, checkpoint))
    await fake.until(lambda: checkpoint.started)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    fake.release()
    again = await backend().generate(
        replace(REQUEST, response_id=checkpoint.started[0]), checkpoint
    )
    assert shows(again, fake)
    assert len(fake.creates) == fake.paid == len(checkpoint.started) == 1


# A repeated run


async def first_run(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome | None = None
) -> ImageRequest:
    """The request of a second run, after a first one that met `outcome` and died."""
    checkpoint = FakeCheckpoint()
    fake.script(outcome or fakes.success())
    running = asyncio.create_task(backend().generate(REQUEST, checkpoint))
    await fake.until(lambda: checkpoint.started)
    job = fake.responses[checkpoint.started[0]]
    if outcome is None or outcome.hold_at is None:
        await fake.until(lambda: job.finished)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return replace(REQUEST, response_id=checkpoint.started[0])


async def test_a_finished_response_is_taken_up(fake: FakeOpenAI, backend: Backend) -> None:
    again, checkpoint = await first_run(fake, backend), FakeCheckpoint()
    image = await backend().generate(again, checkpoint)
    assert shows(image, fake)
    assert image.response_id == again.response_id
    assert image.revised_prompt
    assert checkpoint.started == []
    assert len(fake.creates) == fake.paid == 1


@pytest.mark.parametrize("streams", [True, False])
async def test_a_response_under_way_is_followed(
    fake: FakeOpenAI, backend: Backend, streams: bool
) -> None:
    again = await first_run(fake, backend, fakes.held("generating"))
    if not streams:
        fake.script_reads(fakes.success(), fakes.bad_request(None, "stream"))
    running = asyncio.create_task(backend().generate(again, FakeCheckpoint()))
    await fake.until(lambda: len(fake.requests) >= 3)
    fake.release()
    image = await running
    assert shows(image, fake)
    assert image.response_id == again.response_id
    assert len(fake.creates) == fake.paid == 1


async def test_a_response_under_way_is_followed_until_the_deadline(
    fake: FakeOpenAI, backend: Backend
) -> None:
    again = await first_run(fake, backend, fakes.held("generating"))
    assert (await failure(backend(timeout=1.0), again)).kind is FailureKind.TIMED_OUT
    assert fake.responses[again.response_id].status == "cancelled"
    assert (len(fake.creates), fake.paid) == (1, 0)


@pytest.mark.parametrize(
    "outcome",
    [
        fakes.response_failed(),
        fakes.incomplete(),
        fakes.completed_without_anything(),
        fakes.stream_error("server_error"),
    ],
)
async def test_a_response_that_came_to_nothing_is_asked_for_anew(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome
) -> None:
    again, checkpoint = await first_run(fake, backend, outcome), FakeCheckpoint()
    image = await backend().generate(again, checkpoint)
    assert shows(image, fake)
    assert checkpoint.started == [image.response_id] != [again.response_id]
    assert (len(fake.creates), fake.paid) == (2, 1)


@pytest.mark.parametrize("what", ["forgotten", "cancelled", "plain and abandoned"])
async def test_a_response_that_is_gone_is_asked_for_anew(
    fake: FakeOpenAI, backend: Backend, what: str
) -> None:
    again, checkpoint = await first_run(fake, backend, fakes.held("generating")), FakeCheckpoint()
    job = fake.responses[again.response_id]
    if what == "forgotten":
        fake.forget(again.response_id)
    elif what == "cancelled":
        job.cancel()
    else:
        job.background = False
    image = await backend().generate(again, checkpoint)
    assert checkpoint.started == [image.response_id] != [again.response_id]
    assert (len(fake.creates), fake.paid) == (2, 1)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (fakes.moderation_failed_item(), FailureKind.MODERATION),
        (fakes.moderation_failed_item(response_completes=True), FailureKind.MODERATION),
        (fakes.refusal_in_words(), FailureKind.DECLINED),
    ],
)
async def test_a_prompt_that_was_turned_down_is_not_asked_again(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome, kind: FailureKind
) -> None:
    again = await first_run(fake, backend, outcome)
    assert (await failure(backend(), again)).kind is kind
    assert (len(fake.creates), fake.paid) == (1, 0)


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (fakes.server_error(503), FailureKind.PROVIDER_DOWN),
        (fakes.connection_dropped(), FailureKind.PROVIDER_DOWN),
        (fakes.rate_limited(3), FailureKind.RATE_LIMITED),
    ],
)
async def test_while_nobody_can_tell_how_it_stands_nothing_is_paid_again(
    fake: FakeOpenAI,
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    read: Outcome,
    kind: FailureKind,
) -> None:
    again = await first_run(fake, backend)
    monkeypatch.setattr(client, "FREE_RETRIES", 0)
    fake.script_reads(read)
    error = await failure(backend(), again)
    assert error.kind is kind
    assert error.retryable
    assert error.may_be_paid
    assert len(fake.creates) == fake.paid == 1


async def test_a_response_under_way_that_gets_out_of_sight_is_not_paid_again(
    fake: FakeOpenAI, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = await first_run(fake, backend, fakes.held("generating"))
    monkeypatch.setattr(client, "FREE_RETRIES", 0)
    fake.script_reads(fakes.success(), fakes.server_error(), fakes.server_error())
    error = await failure(backend(), again)
    assert error.kind is FailureKind.PROVIDER_DOWN
    assert (len(fake.creates), fake.paid) == (1, 0)


@pytest.mark.parametrize("status", [400, 404, 405, 501])
async def test_a_server_that_has_no_way_to_read_is_asked_anew(
    fake: FakeOpenAI, backend: Backend, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    again = await first_run(fake, backend)
    monkeypatch.setattr(client, "FREE_RETRIES", 0)
    fake.script_reads(no_such_call(status))
    assert shows(await backend().generate(again, FakeCheckpoint()), fake)
    assert len(fake.creates) == 2


@pytest.mark.parametrize("output_format", ["png", "webp", "jpeg"])
async def test_a_part_of_an_image_is_asked_for_anew(
    fake: FakeOpenAI, backend: Backend, output_format: str
) -> None:
    """First by the response's id, which costs nothing; then with another paid call."""
    fake.script(fakes.cut_short(output_format=output_format))
    one, checkpoint = backend(), FakeCheckpoint()
    assert (await failure(one)).kind is FailureKind.CUT_IMAGE
    assert fake.paid == 1
    again = replace(REQUEST, response_id=fake.made[0].response_id)
    image = await one.generate(again, checkpoint)
    assert shows(image, fake)
    assert fake.paid == 2
