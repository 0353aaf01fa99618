import asyncio
import base64
import io
import threading
import time
from itertools import combinations
from typing import Any

import pytest
from PIL import Image

from bot.adapters.placeholder import PlaceholderBackend, backend, drawing
from bot.adapters.placeholder.drawing import draw, parse_size
from bot.adapters.placeholder.lettering import readable
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import EDITED, MADE, XMP_KEYWORD, BaseImage, GeneratedImage, ImageRequest
from bot.domain.options import Options
from tests.fakes import FakeCheckpoint


async def placeholder(
    prompt: str = "a robot", attempt: int = 1, size: str = "auto", **changes: Any
) -> GeneratedImage:
    one, checkpoint = PlaceholderBackend(size=size, delay=0), FakeCheckpoint()
    image = await one.generate(ImageRequest(prompt, attempt, **changes), checkpoint)
    assert (checkpoint.started, checkpoint.partials) == ([], [])
    await one.cancel("")
    await one.close()
    return image


async def edit(image: GeneratedImage | bytes, change: str, **changes: Any) -> GeneratedImage:
    data = image.data if isinstance(image, GeneratedImage) else image
    return await placeholder(attempt=2, base=BaseImage(data), change=change, **changes)


def opened(image: GeneratedImage) -> Image.Image:
    with Image.open(io.BytesIO(image.data)) as png:
        png.load()
        return png


def picture(
    image_format: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (96, 64)
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "orange").save(out, image_format)
    return out.getvalue()


def at_a_glance(image: GeneratedImage, box: tuple[int, int, int, int]) -> bytes:
    return opened(image).convert("RGB").crop(box).resize((4, 4)).tobytes()


def distance(one: bytes, other: bytes) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


HEAD = (0, 0, 512, 350)


async def test_is_a_real_png_of_the_size_asked_for() -> None:
    image = await placeholder("a robot eating pizza on Mars", size="1536x1024")
    assert (opened(image).format, opened(image).size) == ("PNG", (1536, 1024))
    assert (image.mime_type, image.width, image.height) == ("image/png", 1536, 1024)


async def test_the_size_that_a_person_chose_comes_first() -> None:
    image = await placeholder(size="1536x1024", options=Options(size="64x128"))
    assert opened(image).size == (image.width, image.height) == (64, 128)
    assert (await placeholder(size="64x128", options=Options(size="auto"))).width == 1024


async def test_a_repeated_run_gives_the_same_picture() -> None:
    again = [await placeholder("a robot", 2, "256x256") for _ in range(2)]
    assert again[0] == again[1]
    again = [await placeholder("a robot", size="256x256", candidate=2) for _ in range(2)]
    assert again[0] == again[1]


async def test_attempts_candidates_and_prompts_differ_at_a_glance() -> None:
    asked = [("a robot", 1, 1), ("a robot", 2, 1), ("a robot", 3, 1), ("a robot", 4, 1)]
    asked += [("a cat", 1, 1), ("a robot", 1, 2), ("a robot", 1, 3), ("a robot", 1, 4)]
    glances = [
        at_a_glance(await placeholder(prompt, attempt, "512x512", candidate=candidate), HEAD)
        for prompt, attempt, candidate in asked
    ]
    for one, other in combinations(glances, 2):
        assert distance(one, other) > 15


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "😀 👩‍👩‍👧‍👦",
        "قطة على السطح",
        "חתול על הגג",
        "猫" * 300,
        "one\ntwo\n\n\tthree\u2028four",
        "nul \x00 and \ud800 and \u202e",
        "word " * 6400,
        "x" * 32_000,
        "e\u0301" * 2000,
        "<!channel> & *bold*",
    ],
)
async def test_no_words_break_it(prompt: str) -> None:
    assert (await placeholder(prompt, size="512x512")).data.startswith(b"\x89PNG")
    assert (await edit(picture(), prompt)).data.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ("auto", None),
        ("1024x1536", (1024, 1536)),
        ("1x1", (16, 16)),
        ("99999x64", (3840, 64)),
        ("nonsense", None),
    ],
)
def test_sizes_stay_within_reason(size: str, pixels: tuple[int, int] | None) -> None:
    assert parse_size(size) == pixels


@pytest.mark.parametrize("size", ["16x16", "16x48", "48x16"])
@pytest.mark.parametrize("background", ["", "transparent", "opaque"])
async def test_the_smallest_picture_is_drawn_too(size: str, background: str) -> None:
    options = Options(size=size, background=background)
    image = await placeholder("a robot eating pizza on Mars", options=options)
    edited = await edit(image, "make it night", options=options)
    for one in (image, edited):
        assert f"{one.width}x{one.height}" == size


def test_what_the_font_lacks_becomes_an_ellipsis_and_accents_go() -> None:
    assert readable("Ein Café\nfür 猫猫 😀 “Bären”") == "Ein Cafe fur … “Baren”"
    assert readable("قطة") == "…"


def dark(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    return sum(image.convert("RGB").crop(box).convert("L").histogram()[:64])


def test_the_prompt_can_be_read_on_the_panel() -> None:
    def ink(prompt: str) -> int:
        with Image.open(io.BytesIO(draw(ImageRequest(prompt), "512x512").data)) as png:
            return dark(png, (40, 440, 480, 480))

    assert ink("WWWW WWWW WWWW") > 5 * ink("i") > 0


def test_takes_less_than_a_third_of_a_second_of_processor() -> None:
    """The quickest of a few: neighbours on the same processor slow some of them down."""
    draw(ImageRequest("warm"), "64x64")
    took = []
    for _ in range(3):
        begun = time.process_time()
        draw(ImageRequest("a robot eating pizza on Mars"), "1024x1024")
        took.append(time.process_time() - begun)
    assert min(took) < 0.3


async def test_takes_its_delay() -> None:
    begun = time.monotonic()
    one = PlaceholderBackend(size="16x16", delay=0.1)
    await one.generate(ImageRequest("x"), FakeCheckpoint())
    assert time.monotonic() - begun >= 0.1


async def test_draws_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def spy(*args: Any) -> drawing.Drawing:
        threads.append(threading.current_thread())
        return draw(*args)

    monkeypatch.setattr(backend, "draw", spy)
    await placeholder(size="16x16")
    assert threads
    assert threading.main_thread() not in threads


# Transparent


async def test_a_transparent_background_is_not_there() -> None:
    image = await placeholder(size="256x256", options=Options(background="transparent"))
    alpha = opened(image).getchannel("A").histogram()
    assert alpha[0] > 256 * 256 / 5
    assert alpha[255] > 256 * 256 / 20


@pytest.mark.parametrize("background", ["", "auto", "opaque"])
async def test_any_other_background_is(background: str) -> None:
    image = await placeholder(size="64x64", options=Options(background=background))
    assert not opened(image).has_transparency_data


# Edits


async def test_an_edit_shows_the_picture_and_the_change() -> None:
    first = await placeholder("a robot", size="512x512")
    edited = await edit(first, "WWWW WWWW WWWW")
    middle, ribbon = (0, 150, 512, 350), (40, 75, 475, 105)
    elsewhere = await placeholder("a cat", size="512x512")
    near = distance(at_a_glance(first, middle), at_a_glance(edited, middle))
    far = distance(at_a_glance(elsewhere, middle), at_a_glance(edited, middle))
    assert 0 < near < far
    assert dark(opened(edited), ribbon) > 5 * dark(opened(await edit(first, "i")), ribbon)


async def test_edits_of_edits_keep_all_changes_in_sight() -> None:
    first = await edit(picture(size=(512, 512)), "WWWW WWWW")
    second = await edit(first, "MMMM MMMM", changes=("WWWW WWWW",))
    for image, boxes in ((first, 1), (second, 2)):
        for place in range(boxes):
            top = 20 + round(place * 0.2 * 512)
            assert dark(opened(image), (40, top + 20, 480, top + 70)) > 300


async def test_candidates_of_an_edit_differ_at_a_glance() -> None:
    glances = [
        at_a_glance(await edit(picture(size=(64, 64)), "at night", candidate=n), (0, 40, 64, 64))
        for n in (1, 2, 3, 4)
    ]
    for one, other in combinations(glances, 2):
        assert distance(one, other) > 10


@pytest.mark.parametrize(
    ("size", "chosen", "pixels"),
    [
        ("auto", "", (96, 64)),
        ("auto", "32x32", (32, 32)),
        ("48x128", "", (48, 128)),
        ("48x128", "auto", (96, 64)),
    ],
)
async def test_an_edit_has_the_size_asked_for_or_that_of_the_picture(
    size: str, chosen: str, pixels: tuple[int, int]
) -> None:
    image = await edit(picture(), "at night", size=size, options=Options(size=chosen))
    assert opened(image).size == (image.width, image.height) == pixels


async def test_an_edit_of_a_huge_picture_is_smaller() -> None:
    image = await edit(picture("JPEG", size=(2100, 1050)), "at night")
    assert (image.width, image.height) == (2048, 1024)


@pytest.mark.parametrize(
    ("image_format", "mode"),
    [("JPEG", "RGB"), ("WEBP", "RGBA"), ("GIF", "P"), ("PNG", "LA"), ("PNG", "I;16")],
)
async def test_pictures_of_people_can_be_edited(image_format: str, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (96, 64)).save(out, image_format)
    assert (await edit(out.getvalue(), "at night")).width == 96


@pytest.mark.parametrize("data", [b"<html>", picture()[:40], picture("TIFF")])
async def test_what_is_no_picture_cannot_be_edited(data: bytes) -> None:
    with pytest.raises(GenerationError) as caught:
        await edit(data, "at night")
    assert caught.value.kind is FailureKind.SOURCE_UNREADABLE


async def test_without_the_picture_a_pattern_carries_the_change() -> None:
    base = BaseImage(response_id="resp_1")
    images = [
        await placeholder(size="512x512", base=base, change=change)
        for change in ("WWWW WWWW WWWW", "i")
    ]
    inks = [dark(opened(image), (40, 440, 480, 480)) for image in images]
    assert inks[0] > 5 * inks[1] > 0


@pytest.mark.parametrize(
    ("mode", "background", "transparent"),
    [
        ("RGB", "", False),
        ("RGBA", "", True),
        ("RGB", "transparent", True),
        ("RGBA", "transparent", True),
        ("RGBA", "opaque", False),
    ],
)
async def test_an_edit_keeps_or_changes_the_ground(
    mode: str, background: str, transparent: bool
) -> None:
    out = io.BytesIO()
    Image.new(mode, (96, 64)).save(out, "PNG")
    image = await edit(out.getvalue(), "at night", options=Options(background=background))
    corner = opened(image).convert("RGBA").getpixel((0, 0))
    assert isinstance(corner, tuple)
    assert (corner[3] == 0) is transparent


# Previews


async def shown(count: int, checkpoint: FakeCheckpoint) -> GeneratedImage:
    one = PlaceholderBackend(size="512x768", delay=0, partial_images=count)
    return await one.generate(ImageRequest("a robot"), checkpoint)


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_previews_get_clearer_and_are_smaller_than_the_image(count: int) -> None:
    checkpoint, without = FakeCheckpoint(), FakeCheckpoint()
    image = await shown(count, checkpoint)
    assert image == await shown(0, without)
    assert (len(checkpoint.partials), without.partials) == (count, [])
    assert checkpoint.started == []
    files = [base64.b64decode(preview) for preview in checkpoint.partials]
    sizes = [len(file) for file in files]
    assert sizes == sorted(sizes)
    for file in files:
        with Image.open(io.BytesIO(file)) as preview:
            assert (preview.format, preview.size) == ("PNG", (256, 384))


async def test_a_preview_that_cannot_be_shown_does_not_cost_the_image(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class CannotShow(FakeCheckpoint):
        def partial_image(self, encoded: str) -> None:
            raise OSError("xoxb-secret")

    assert (await shown(2, CannotShow())).width == 512
    assert "OSError" in caplog.text
    assert "secret" not in caplog.text


async def test_previews_come_before_the_image() -> None:
    checkpoint = FakeCheckpoint()
    one = PlaceholderBackend(size="16x16", delay=60, partial_images=59)
    running = asyncio.create_task(one.generate(ImageRequest("x"), checkpoint))
    async with asyncio.timeout(30):
        while not checkpoint.partials:
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_the_file_says_for_machines_what_it_is() -> None:
    for from_picture, said in ((False, MADE), (True, EDITED)):
        base = BaseImage(picture()) if from_picture else None
        request = ImageRequest("x", base=base, change="y", from_picture=from_picture)
        with Image.open(io.BytesIO(draw(request, "64x64").data)) as png:
            png.load()
            assert f">{said}<" in png.text[XMP_KEYWORD]  # type: ignore[attr-defined]


async def test_no_model_is_claimed() -> None:
    assert (await placeholder(size="16x16")).model == "placeholder, no model"
