"""`SlackFiles` against the simulated Slack: pictures of people, and what is none."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from bot.adapters.pictures import PictureReader
from bot.adapters.slack import SlackFiles, downloads, slack_client, slack_session, web_api
from bot.adapters.slack.downloads import is_slack_url
from bot.domain.errors import SlackUnavailable
from bot.domain.failures import FailureKind, GenerationError
from bot.sandbox import Fault, SimulatedSlack
from bot.sandbox.workspace.files import File
from tests.support import heic
from tests.support.samples import png

KEPT_WAIT = web_api._wait
KEPT_PAYLOAD = File.payload


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are a tenth of what they are."""
    monkeypatch.setattr(web_api, "_wait", lambda state: KEPT_WAIT(state) / 10)
    monkeypatch.setattr(downloads, "ASK_EVERY", 0.05)


@pytest.fixture
async def files(slack: SimulatedSlack) -> AsyncIterator[SlackFiles]:
    reader = PictureReader()
    async with slack_session() as http:
        yield SlackFiles(slack_client(slack.bot_token, slack.api_url, http), http, reader)
    await reader.close()


def picture(kind: str, frames: int = 1, size: tuple[int, int] = (4, 3)) -> bytes:
    out = io.BytesIO()
    first, *others = [Image.new("RGB", size, (40 * n, 0, 0)) for n in range(frames)]
    more: Any = {"save_all": True, "append_images": others} if others else {}
    first.save(out, kind, **more)
    return out.getvalue()


def noise(kind: str) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((100, 100), 80).save(out, kind)
    assert len(out.getvalue()) > 4000
    return out.getvalue()


async def shared(
    slack: SimulatedSlack, data: bytes, channel: str = "general", name: str = "image.png"
) -> str:
    """The id of a file that Bob has shared."""
    ack = await slack.say("bob", channel, "look", files=[(name, data)])
    return str(ack.message.files[0])


async def failure(files: SlackFiles, file_id: str) -> FailureKind:
    with pytest.raises(GenerationError) as failed:
        await files.fetch(file_id)
    return failed.value.kind


def described(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """From now on Slack says this about every file."""

    def payload(file: File, *where: Any) -> dict[str, Any]:
        return KEPT_PAYLOAD(file, *where) | changes

    monkeypatch.setattr(File, "payload", payload)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_picture_comes_as_a_model_is_shown_it(
    slack: SimulatedSlack, files: SlackFiles, kind: str
) -> None:
    read = await files.fetch(await shared(slack, picture(kind)))
    assert (read.width, read.height) == (4, 3)
    assert read.mime_type == ("image/png" if kind == "PNG" else "image/jpeg")
    assert slack.violations == []


async def test_what_phones_make_comes_too(slack: SimulatedSlack, files: SlackFiles) -> None:
    assert (await files.fetch(await shared(slack, heic.TILE))).mime_type == "image/jpeg"
    avif = await files.fetch(await shared(slack, picture("AVIF"), name="IMG.avif"))
    assert (avif.mime_type, avif.width) == ("image/jpeg", 4)


@pytest.mark.parametrize(("kind", "frames"), [("GIF", 1), ("GIF", 3), ("PNG", 3)])
async def test_of_a_moving_picture_the_first_frame_comes(
    slack: SimulatedSlack, files: SlackFiles, kind: str, frames: int
) -> None:
    read = await files.fetch(await shared(slack, picture(kind, frames)))
    with Image.open(io.BytesIO(read.data)) as image:
        assert (image.format, image.size) == ("PNG", (4, 3))
        assert getattr(image, "n_frames", 1) == 1


async def test_a_file_that_slack_gets_to_know_late_is_waited_for(
    slack: SimulatedSlack, files: SlackFiles
) -> None:
    file_id = await shared(slack, png())
    file = slack.workspace.files.get(file_id)
    assert file is not None
    file.ready_at = slack.clock.now() + 0.3
    assert (await files.fetch(file_id)).width == 2


async def test_a_file_that_slack_never_gets_to_know_is_unreadable(
    slack: SimulatedSlack, files: SlackFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "KNOWN_WITHIN", 0.2)
    described(monkeypatch, mimetype="")
    assert await failure(files, await shared(slack, png())) is FailureKind.SOURCE_UNREADABLE


# what the bot may not have


async def test_a_file_that_is_gone(slack: SimulatedSlack, files: SlackFiles) -> None:
    file_id = await shared(slack, png())
    file = slack.workspace.files.get(file_id)
    assert file is not None
    file.deleted = True
    for missing in (file_id, "F0NONE"):
        assert await failure(files, missing) is FailureKind.SOURCE_GONE


@pytest.mark.parametrize("channel", ["outsiders", "secret"])
async def test_a_file_where_the_bot_is_no_member(
    slack: SimulatedSlack, files: SlackFiles, channel: str
) -> None:
    assert await failure(files, await shared(slack, png(), channel)) is FailureKind.SOURCE_GONE


async def test_without_the_scope_no_file_can_be_had(
    slack: SimulatedSlack, files: SlackFiles, caplog: pytest.LogCaptureFixture
) -> None:
    file_id = await shared(slack, png())
    slack.workspace.scopes = {"chat:write"}
    assert await failure(files, file_id) is FailureKind.APP_REFUSED
    assert "missing_scope" in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "tombstone", "mimetype": ""},
        {"mode": "hidden_by_limit", "mimetype": ""},
        {"mode": "external", "is_external": True},
    ],
)
async def test_a_file_whose_bytes_are_not_slacks_to_give(
    slack: SimulatedSlack,
    files: SlackFiles,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
) -> None:
    described(monkeypatch, **changes)
    assert await failure(files, await shared(slack, png())) is FailureKind.SOURCE_GONE
    assert slack.calls_of("download") == []


@pytest.mark.parametrize("status", [200, 302, 403, 404])
async def test_a_login_page_is_no_picture(
    slack: SimulatedSlack, files: SlackFiles, status: int
) -> None:
    """Slack answers with one, and 200, where access is missing."""
    slack.faults.add("download", Fault.http(status))
    assert await failure(files, await shared(slack, png())) is FailureKind.SOURCE_GONE


async def test_who_is_sent_to_the_login_page_does_not_go(
    slack: SimulatedSlack, files: SlackFiles
) -> None:
    file_id = await shared(slack, png())
    hidden = await shared(slack, png(), "secret")
    where = slack.workspace.files.describe(hidden)["url_private"]
    with pytest.MonkeyPatch.context() as patch:
        described(patch, url_private=where, url_private_download="")
        assert await failure(files, file_id) is FailureKind.SOURCE_GONE
    (call,) = slack.calls_of("download")
    assert (call.status, call.args["file"]) == (302, hidden)


async def test_the_token_goes_to_slack_alone(
    slack: SimulatedSlack, files: SlackFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization", ""))
        return web.Response(body=png(), content_type="image/png")

    server = web.Application()
    server.router.add_get("/{path:.*}", take)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    elsewhere = f"http://127.0.0.1:{runner.addresses[0][1]}/files/T-F/a.png"
    described(monkeypatch, url_private=elsewhere, url_private_download=elsewhere)
    assert await failure(files, await shared(slack, png())) is FailureKind.SOURCE_GONE
    assert asked == []
    await runner.cleanup()


SLACK = "https://slack.com/api/"
SIMULATED = "http://127.0.0.1:4700/api/"


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://files.slack.com/files-pri/T1-F1/a.png", SLACK),
        ("https://slack.com/a.png", "https://www.slack.com/api/"),
        ("https://files.slack-gov.com/a.png", "https://slack-gov.com/api/"),
        ("http://127.0.0.1:4700/files/T1-F1/a.png", SIMULATED),
    ],
)
def test_slacks_own_hosts(url: str, api: str) -> None:
    assert is_slack_url(url, api)


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("", SLACK),
        ("/files/a.png", SLACK),
        ("http://files.slack.com/a.png", SLACK),
        ("https://files.slack.com:8443/a.png", SLACK),
        ("https://files.slack.com:port/a.png", SLACK),
        ("https://slack.com.evil.example/a.png", SLACK),
        ("https://evilslack.com/a.png", SLACK),
        ("https://files.slack.com@evil.example/a.png", SLACK),
        ("https://evil.example\\@files.slack.com/a.png", SLACK),
        ("https://evil.example/?files.slack.com", SLACK),
        ("https://files.slack-gov.com/a.png", SLACK),
        ("https://[files.slack.com/a.png", SLACK),
        ("https://files.slack.com/a.png", SIMULATED),
        ("http://127.0.0.1:4701/a.png", SIMULATED),
        ("http://127.0.0.1/a.png", SIMULATED),
        ("https://127.0.0.1:4700/a.png", SIMULATED),
        ("", ""),
    ],
)
def test_other_hosts(url: str, api: str) -> None:
    assert not is_slack_url(url, api)


# an image of ours


async def uploaded(slack: SimulatedSlack, data: bytes) -> str:
    return await shared(slack, data, name="imagine.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
async def test_an_image_of_ours_comes_as_it_was_uploaded(
    slack: SimulatedSlack, files: SlackFiles, kind: str
) -> None:
    data = picture(kind)
    assert await files.download(await uploaded(slack, data)) == data
    assert slack.violations == []


async def none_of_ours(files: SlackFiles, file_id: str) -> FailureKind:
    with pytest.raises(GenerationError) as failed:
        await files.download(file_id)
    return failed.value.kind


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"mode": "tombstone", "mimetype": ""}, FailureKind.SOURCE_GONE),
        ({"mode": "hidden_by_limit", "mimetype": ""}, FailureKind.SOURCE_GONE),
        ({"mode": "external", "is_external": True}, FailureKind.SOURCE_GONE),
        ({"deleted": True}, FailureKind.SOURCE_GONE),
        ({"url_private": "", "url_private_download": ""}, FailureKind.SOURCE_GONE),
        ({"url_private_download": "https://evil.example/a.png"}, FailureKind.SOURCE_GONE),
        ({"mimetype": "application/pdf"}, FailureKind.SOURCE_TYPE),
        ({"mimetype": "image/webp"}, FailureKind.SOURCE_TYPE),
    ],
)
async def test_no_image_of_ours_is_fetched_from_elsewhere_or_of_another_type(
    slack: SimulatedSlack,
    files: SlackFiles,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    kind: FailureKind,
) -> None:
    described(monkeypatch, **changes)
    assert await none_of_ours(files, await uploaded(slack, png())) is kind
    assert slack.calls_of("download") == []


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><title>Sign in</title>", b"", b"\x00" * 900, picture("WEBP")]
)
async def test_what_is_no_image_is_not_taken_for_ours(
    slack: SimulatedSlack, files: SlackFiles, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    described(monkeypatch, mimetype="image/png")
    assert await none_of_ours(files, await uploaded(slack, data)) is FailureKind.SOURCE_TYPE


@pytest.mark.parametrize("status", [200, 302, 403, 404])
async def test_a_login_page_is_no_image_of_ours(
    slack: SimulatedSlack, files: SlackFiles, status: int
) -> None:
    slack.faults.add("download", Fault.http(status))
    file_id = await uploaded(slack, png())
    assert await none_of_ours(files, file_id) is FailureKind.SOURCE_GONE


async def test_without_the_scope_no_image_of_ours_comes_back(
    slack: SimulatedSlack, files: SlackFiles
) -> None:
    file_id = await uploaded(slack, png())
    slack.workspace.scopes = {"chat:write"}
    assert await none_of_ours(files, file_id) is FailureKind.APP_REFUSED


async def test_a_stub_of_a_shared_channel_is_asked_for_by_its_id(
    slack: SimulatedSlack, files: SlackFiles
) -> None:
    file_id = await uploaded(slack, png())
    file = slack.workspace.files.get(file_id)
    assert file is not None
    file.is_stub = True
    assert slack.workspace.files.in_message(file_id)["file_access"] == "check_file_info"
    assert await files.download(file_id) == png()


async def test_an_image_of_ours_may_be_larger_than_a_persons(
    slack: SimulatedSlack, files: SlackFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", 100)
    monkeypatch.setattr(downloads, "_OUR_MAX_BYTES", 5_000)
    large = png() + b"\0" * 4_000
    assert await files.download(await uploaded(slack, large)) == large
    too_large = await uploaded(slack, png() + b"\0" * 9_000)
    assert await none_of_ours(files, too_large) is FailureKind.SOURCE_TOO_LARGE


# what is no such picture


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"no picture", FailureKind.SOURCE_TYPE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", FailureKind.SOURCE_TYPE),
        (picture("TIFF"), FailureKind.SOURCE_TYPE),
        (noise("PNG")[:2000], FailureKind.SOURCE_UNREADABLE),
        (noise("JPEG")[:2000], FailureKind.SOURCE_UNREADABLE),
        (picture("PNG")[:24] + b"\xff" * 40, FailureKind.SOURCE_UNREADABLE),
    ],
    ids=["text", "svg", "tiff", "half a PNG", "half a JPEG", "broken PNG"],
)
async def test_what_cannot_be_read_as_a_picture(
    slack: SimulatedSlack,
    files: SlackFiles,
    monkeypatch: pytest.MonkeyPatch,
    data: bytes,
    kind: FailureKind,
) -> None:
    described(monkeypatch, mimetype="image/png")
    assert await failure(files, await shared(slack, data)) is kind


async def test_a_picture_of_too_many_pixels_is_never_unpacked(
    slack: SimulatedSlack, files: SlackFiles
) -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 4_000)).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    assert await failure(files, await shared(slack, out.getvalue())) is (
        FailureKind.SOURCE_TOO_MANY_PIXELS
    )


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"mimetype": "image/tiff"}, FailureKind.SOURCE_TYPE),
        ({"mimetype": "application/pdf"}, FailureKind.SOURCE_TYPE),
        ({"size": 20 * 1024 * 1024 + 1}, FailureKind.SOURCE_TOO_LARGE),
        ({"original_w": 8000, "original_h": 8000}, FailureKind.SOURCE_TOO_MANY_PIXELS),
        (
            {"mimetype": "image/webp", "original_w": 5100, "original_h": 5000},
            FailureKind.SOURCE_TOO_MANY_PIXELS,
        ),
    ],
)
async def test_what_was_said_to_be_none_is_not_fetched(
    slack: SimulatedSlack,
    files: SlackFiles,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    kind: FailureKind,
) -> None:
    described(monkeypatch, **changes)
    assert await failure(files, await shared(slack, png())) is kind
    assert slack.calls_of("download") == []


async def test_more_bytes_than_were_announced_are_not_taken(
    slack: SimulatedSlack, files: SlackFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", 100)
    data = picture("PNG") + b"\0" * 100_000
    assert await failure(files, await shared(slack, data)) is FailureKind.SOURCE_TOO_LARGE


# Slack busy, broken, or silent


FAULTS = {
    "dropped": Fault.dropped(),
    "500": Fault.http(500),
    "503": Fault.http(503),
    "429": Fault.rate_limited(1),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("method", ["files.info", "download"])
async def test_a_picture_gets_through(
    slack: SimulatedSlack, files: SlackFiles, method: str, fault: Fault
) -> None:
    file_id = await shared(slack, png())
    slack.faults.add(method, fault, times=2)
    assert (await files.fetch(file_id)).width == 2
    assert len(slack.calls_of(method)) == 3


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("method", ["files.info", "download"])
async def test_patience_ends(
    slack: SimulatedSlack,
    files: SlackFiles,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    fault: Fault,
) -> None:
    _, *others = web_api.with_retries.__defaults__ or ()
    monkeypatch.setattr(web_api.with_retries, "__defaults__", (0.3, *others))
    slack.faults.add(method, fault, times=1000)
    file_id = await shared(slack, png())
    async with asyncio.timeout(10):
        with pytest.raises(SlackUnavailable):
            await files.fetch(file_id)


async def test_the_token_is_in_no_log(
    slack: SimulatedSlack, files: SlackFiles, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    slack.faults.add("download", Fault.http(403))
    await failure(files, await shared(slack, png()))
    assert slack.bot_token not in caplog.text
