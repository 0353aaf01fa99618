"""What says that an image is made by AI gets from the provider to Slack: the words, and the bytes
with all that is in them."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from pathlib import Path

from PIL import Image

from bot.domain.images import XMP_KEYWORD
from bot.sandbox import Message
from tests.support.scene import Scene, isolated_world, new_scene

LABEL = "AI-generated · gpt-image-2.5-flare"
OWN_LABEL = "Made by <!channel> *AI* :robot_face:"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with further chunks after its header."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "PNG")
    data = out.getvalue()
    framed = b""
    for name, content in chunks:
        chunk = name + content
        framed += struct.pack(">I", len(content)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return data[:33] + framed + data[33:]


def source_type(message: Message) -> str:
    (data,) = message.shown_images()
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        xmp = str(image.text[XMP_KEYWORD])  # type: ignore[attr-defined]
    (found,) = re.findall(r"digitalsourcetype/(\w+)<", xmp)
    return str(found)


def unmarked_uploads(scene: Scene) -> list[str]:
    """Files with an alternative text of their own: Slack would not share them."""
    return [file.name for file in scene.slack.workspace.files.all() if file.alt_txt]


async def test_signed_images_get_to_slack_byte_for_byte(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        await world.run("dev", LOG_LEVEL="INFO")
        scene = new_scene(world)
        signed = png((b"caBX", b"content credentials" * 9_000), (b"tEXt", b"a\0b"))
        scene.openai.image_bytes = signed
        await scene.imagine("a robot --n 2")
        draft = await scene.draft()
        final = await scene.approved(draft)
        shown = [*draft.shown_images(), *final.shown_images()]
        assert {sha256(data) for data in shown if data} == {sha256(signed)}
        for message in (draft, final):
            assert LABEL in message.shown_text
            images = [block for block in message.blocks if block["type"] == "image"]
            told = [image["alt_text"] for image in images]
            assert all(f"{LABEL} · image " in alt and alt.endswith(": a robot") for alt in told)
        assert unmarked_uploads(scene) == []
        assert world.slack.violations == []


async def test_the_placeholder_marks_what_it_draws(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        await world.run("dev", IMAGE_BACKEND="placeholder", AI_LABEL=OWN_LABEL, OPENAI_API_KEY="")
        scene = new_scene(world)
        brought = [("roof.png", png())]
        await scene.slack.mention(scene.alice, scene.channel, "in blue", files=brought)
        draft = await scene.draft()
        assert source_type(draft) == "compositeWithTrainedAlgorithmicMedia"
        await scene.click(draft, "Refine")
        await scene.form()
        assert (await scene.slack.submit(scene.alice, {"prompt": "at night"})).ok
        second = await scene.draft(after=draft)
        assert source_type(second) == "compositeWithTrainedAlgorithmicMedia"
        final = await scene.approved(second)
        assert f"{OWN_LABEL} · placeholder, no model" in final.shown_text
        assert not [ping for ping in final.pings() if "channel" in ping]
        assert unmarked_uploads(scene) == []
        assert world.slack.violations == []
