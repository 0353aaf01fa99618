"""Pictures that people bring, through the whole program: which is meant, what the provider gets of
it, and what is kept."""

from __future__ import annotations

import asyncio
import io
from functools import cache
from typing import Any

import pybase64
import pytest
from PIL import Image, PngImagePlugin
from redis.asyncio import Redis

from bot.sandbox import Message
from tests.support import heic
from tests.support.scene import Runs, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNS: Runs = [("dev", {})]

SECRET = "52.5200N-Berlin-iPhone"
FASTEST = {"compress_level": 1, "method": 0, "speed": 10}
"""How PNG, WebP and AVIF are written: nobody looks at the size."""
KINDS = ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIC"]


@cache
def plain(kind: str) -> bytes:
    return photo(kind)


def photo(kind: str = "JPEG", size: tuple[int, int] = (1600, 1000), **more: Any) -> bytes:
    if kind == "HEIC":
        return heic.grid(*size)
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **FASTEST | more)
    return out.getvalue()


async def kept(scene: Scene) -> dict[str, str]:
    """Every picture that the store keeps."""
    async with Redis.from_url(scene.world.redis_url) as redis:
        keys = [key async for key in redis.scan_iter("*:picture:*")]
        return {str(key): str(await redis.get(key)) for key in keys}


def sent_to_provider(scene: Scene) -> tuple[bytes, dict[str, Any]]:
    """The picture in the newest edit, and the tool that is to edit it."""
    body = scene.openai.edits[-1].body
    (url,) = [part["image_url"] for part in body["input"][0]["content"] if "image_url" in part]
    return pybase64.b64decode(url.partition(",")[2]), body["tools"][0]


async def draft_of(scene: Scene, words: str) -> Message:
    root = await scene.slack.wait_for_message(
        scene.channel, text="imagines", where=lambda message: words in message.shown_text
    )
    return await scene.slack.wait_for_message(scene.channel, thread_ts=root.ts, button="Approve")


@pytest.mark.parametrize("carries_files", [True, False])
async def test_every_kind_of_picture_is_used_in_its_own_shape(
    scene: Scene, carries_files: bool
) -> None:
    """Whether the event of the mention tells of the picture or not."""
    workspace = scene.slack.workspace
    workspace.mentions_carry_files, before = carries_files, workspace.mentions_carry_files
    for kind in KINDS:
        name = f"IMG.{kind.lower()}"
        words = f"as {kind} night"
        await scene.slack.mention(scene.alice, scene.channel, words, files=[(name, plain(kind))])
        await draft_of(scene, words)
        data, tool = sent_to_provider(scene)
        assert tool["size"] == "1536x960"
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (1600, 1000)
    workspace.mentions_carry_files = before
    assert scene.openai.paid == len(KINDS)


async def test_a_chosen_size_counts_more_than_the_pictures(scene: Scene) -> None:
    said = "night --ar 1:1"
    await scene.slack.mention(scene.alice, scene.channel, said, files=[("a.jpg", plain("JPEG"))])
    await draft_of(scene, "night")
    assert sent_to_provider(scene)[1]["size"] == "1024x1024"


async def test_a_photo_goes_out_upright_and_without_where_it_was_taken(scene: Scene) -> None:
    before = await kept(scene)
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = 6, SECRET
    exif.get_ifd(0x8825)[29] = SECRET
    told = PngImagePlugin.PngInfo()
    told.add_itxt("XML:com.adobe.xmp", SECRET)
    files = {
        "a.jpg": photo(exif=exif, comment=SECRET, xmp=SECRET.encode()),
        "a.png": photo("PNG", exif=exif, pnginfo=told),
        "a.webp": photo("WEBP", exif=exif, xmp=SECRET.encode()),
    }
    for name, data in files.items():
        assert SECRET.encode() in data
        await scene.slack.mention(
            scene.alice, scene.channel, f"{name} at night", files=[(name, data)]
        )
        await draft_of(scene, f"{name} at night")
        sent, tool = sent_to_provider(scene)
        assert SECRET.encode() not in sent
        with Image.open(io.BytesIO(sent)) as image:
            assert (image.size, dict(image.getexif())) == ((1000, 1600), {})
        assert tool["size"] == "960x1536"
    new = [picture for key, picture in (await kept(scene)).items() if key not in before]
    assert len(new) == len(files)
    assert pybase64.b64encode_as_string(SECRET.encode())[:20] not in "".join(new)


async def test_a_forwarded_picture_and_one_from_another_organisation_are_used(
    scene: Scene,
) -> None:
    slack = scene.slack
    said = (await slack.say("bob", "design", "look", files=[("a.jpg", plain("JPEG"))])).message
    await slack.forward(scene.alice, scene.channel, said, "forwarded night")
    await draft_of(scene, "forwarded night")
    guest = slack.workspace.add_user("eve", team_id="T0OTHER0")
    slack.channel(scene.channel).members.add(guest.id)
    await slack.mention(scene.alice, scene.channel, "connected night", files=[plain("HEIC")])
    await draft_of(scene, "connected night")
    assert len(scene.openai.edits) == scene.openai.paid == 2
    assert slack.violations == []


async def test_the_bots_own_wide_draft_stays_wide(scene: Scene) -> None:
    slack = scene.slack
    scene.openai.image_bytes, before = photo("PNG", (1792, 1008)), scene.openai.image_bytes
    await scene.imagine("a fox --ar 16:9")
    draft = await scene.draft()
    scene.openai.image_bytes = before
    await slack.shortcut(scene.alice, draft, "direct_image")
    await scene.form()
    assert (await slack.submit(scene.alice, {"prompt": "make it night"})).ok
    async with asyncio.timeout(20):
        while not scene.openai.edits:
            await asyncio.sleep(0.05)
    assert sent_to_provider(scene)[1]["size"] == "1792x1008"


async def test_eight_mentions_of_one_file_keep_it_once(scene: Scene) -> None:
    slack = scene.slack
    said = (await slack.say("bob", scene.channel, "look", files=[("a.png", plain("PNG"))])).message
    before = await kept(scene)
    words = [f"night number {n}." for n in range(8)]
    for each in words:
        await slack.forward(scene.alice, scene.channel, said, each)
    for each in words:
        await draft_of(scene, each)
    assert len(slack.calls_of("download")) == 1
    assert len((await kept(scene)).keys() - before) == 1


async def test_what_cannot_be_used_is_refused_in_words_and_costs_nothing(scene: Scene) -> None:
    slack = scene.slack
    files: list[Any] = [
        ("a.pdf", b"%PDF-1.7"),
        ("a.png", plain("PNG"), {"mode": "external", "is_external": True}),
        ("b.png", plain("PNG"), {"mode": "hidden_by_limit"}),
        ("c.png", plain("PNG"), {"mode": "tombstone"}),
        ("a.py", b"print()", {"mode": "snippet", "mimetype": "text/plain"}),
        ("large.png", plain("PNG"), {"size": 30_000_000}),
        ("wide.png", plain("PNG"), {"original_w": 9000, "original_h": 9000}),
    ]
    for file in files:
        before = len(slack.calls_of("chat.postEphemeral"))
        await slack.mention(scene.alice, scene.channel, "make it night", files=[file])
        async with asyncio.timeout(10):
            while len(slack.calls_of("chat.postEphemeral")) == before:
                await asyncio.sleep(0.02)
    assert scene.openai.paid == 0
    texts = [call.args["text"] for call in slack.calls_of("chat.postEphemeral")]
    assert ["not kept in Slack" in text for text in texts].count(True) == 1
    assert ["not in Slack any more" in text for text in texts].count(True) == 2
    assert any("20 MB" in text for text in texts)
    assert any("50 megapixels" in text for text in texts)
