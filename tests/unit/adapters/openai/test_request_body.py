"""What of a call's input is left where a server refuses an extra. Which servers refuse what is
tested in `tests/integration/test_refused_extras.py`."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bot.adapters.openai.request_body import Content, content_of
from bot.domain.images import BaseImage, ImageRequest
from bot.domain.prompt import MAX_PROMPT
from tests.support.samples import png

WORDS = "an instruction"


async def shown(avoid: tuple[str, ...] = ()) -> Content:
    """The input of an edit whose image is sent along."""
    base = BaseImage(png(), "image/png")
    return await content_of(ImageRequest("", change="make it red", base=base, avoid=avoid))


async def test_an_image_is_sent_without_its_detail_and_all_else_is_kept() -> None:
    content = await shown()
    (before,) = cast(Any, content.input)
    (after,) = cast(Any, content.without_detail().input)
    text, image = after["content"]
    assert (after["role"], text) == ("user", before["content"][0])
    assert image == {"type": "input_image", "image_url": before["content"][1]["image_url"]}
    assert before["content"][1]["detail"] == "auto"


async def test_words_have_no_detail() -> None:
    content = await content_of(ImageRequest("a fox"))
    assert content.without_detail() is content


@pytest.mark.parametrize(
    ("room", "kept"),
    [(len(WORDS) + 2, True), (len(WORDS) + 1, False)],
    ids=["where they just fit", "but not where they would not"],
)
def test_instructions_end_the_prompt(room: int, kept: bool) -> None:
    prompt = "p" * (MAX_PROMPT - room)
    inlined = Content(prompt, "resp_1", WORDS).with_inlined_instructions()
    assert inlined == Content(f"{prompt}\n\n{WORDS}" if kept else prompt, "resp_1")


async def test_instructions_follow_an_image_in_a_message_of_their_own() -> None:
    content = await shown(avoid=("a fox that sleeps",))
    assert content.instructions
    inlined = content.with_inlined_instructions()
    parts = [{"type": "input_text", "text": content.instructions}]
    assert cast(Any, inlined.input) == [
        *cast(Any, content.input), {"role": "user", "content": parts}
    ]  # fmt: skip
    assert inlined.instructions == ""


def test_without_instructions_the_input_stays() -> None:
    content = Content("a fox")
    assert content.with_inlined_instructions() is content
