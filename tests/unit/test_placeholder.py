import io
import time

import pytest
from PIL import Image

from bot.adapters.placeholder import PlaceholderBackend, draw, parse_size, readable
from bot.domain.images import GeneratedImage, ImageRequest


async def unexpected(response_id: str) -> None:
    raise AssertionError(f"{response_id} was told")


async def placeholder(prompt: str, attempt: int = 1, size: str = "auto") -> GeneratedImage:
    backend = PlaceholderBackend(size=size, delay=0)
    image = await backend.generate(ImageRequest(prompt, attempt), unexpected)
    await backend.close()
    return image


async def test_is_a_real_png_of_the_size_asked_for() -> None:
    image = await placeholder("a robot eating pizza on Mars", size="1536x1024")
    with Image.open(io.BytesIO(image.data)) as png:
        png.load()
        assert (png.format, png.size) == ("PNG", (1536, 1024))
    assert (image.mime_type, image.width, image.height) == ("image/png", 1536, 1024)


async def test_a_repeated_run_gives_the_same_picture() -> None:
    assert await placeholder("a robot", 2) == await placeholder("a robot", 2)


async def test_attempts_and_prompts_differ_at_a_glance() -> None:
    def at_a_glance(image: GeneratedImage) -> bytes:
        with Image.open(io.BytesIO(image.data)) as png:
            return png.crop((0, 0, 1024, 700)).resize((4, 4)).tobytes()

    asked = [("a robot", 1), ("a robot", 2), ("a robot", 3), ("a robot", 4), ("a cat", 1)]
    glances = [at_a_glance(await placeholder(prompt, attempt)) for prompt, attempt in asked]
    for number, one in enumerate(glances):
        for other in glances[number + 1 :]:
            distance = sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
            assert distance > 15


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
async def test_no_prompt_breaks_it(prompt: str) -> None:
    assert (await placeholder(prompt)).data.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ("auto", (1024, 1024)),
        ("1024x1536", (1024, 1536)),
        ("1x1", (16, 16)),
        ("99999x64", (3840, 64)),
        ("nonsense", (1024, 1024)),
    ],
)
def test_sizes_stay_within_reason(size: str, pixels: tuple[int, int]) -> None:
    assert parse_size(size) == pixels


async def test_the_smallest_picture_is_drawn_too() -> None:
    assert (await placeholder("a robot eating pizza on Mars", size="16x16")).width == 16


def test_what_the_font_lacks_becomes_an_ellipsis_and_accents_go() -> None:
    assert readable("Ein Café\nfür 猫猫 😀 “Bären”") == "Ein Cafe fur … “Baren”"
    assert readable("قطة") == "…"


def test_the_prompt_can_be_read_on_the_panel() -> None:
    def panel(prompt: str, attempt: int = 1) -> Image.Image:
        with Image.open(io.BytesIO(draw(prompt, attempt, (512, 512)))) as png:
            return png.crop((40, 440, 480, 480)).convert("L")

    dark = [panel(prompt).histogram()[:64] for prompt in ("WWWW WWWW WWWW", "i")]
    assert sum(dark[0]) > 5 * sum(dark[1]) > 0


def test_takes_less_than_a_third_of_a_second_of_processor() -> None:
    draw("warm", 1, (64, 64))
    begun = time.process_time()
    draw("a robot eating pizza on Mars", 1, (1024, 1024))
    assert time.process_time() - begun < 0.3


async def test_takes_its_delay() -> None:
    begun = time.monotonic()
    await PlaceholderBackend(size="16x16", delay=0.1).generate(ImageRequest("x"), unexpected)
    assert time.monotonic() - begun >= 0.1
