"""The sizes of pictures."""

import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from PIL import Image

from bot.sandbox.workspace.files import dimensions

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_size_of_every_kind_of_picture_is_known(kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (7, 5)).save(out, kind)
    assert dimensions(out.getvalue()) == (7, 5)


@pytest.mark.parametrize("data", [b"\xff\xd8\xff", b"RIFF0000WEBPVP8 ", b"no image", b""])
def test_the_size_of_what_is_broken_is_unknown(data: bytes) -> None:
    assert dimensions(data) == (0, 0)
