"""Films the page: screenshots with a drawn mouse pointer, saved as an animated WebP."""

from __future__ import annotations

import asyncio
import re
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image, ImageChops

from bot.sandbox import PATIENCE
from tests.browser.page_user import Locator, PageUser

_POINTER = """() => {
  const pointer = document.createElement("div");
  pointer.id = "pointer";
  Object.assign(pointer.style, {
    position: "fixed", zIndex: 99, left: "0", top: "0", width: "20px", height: "28px",
    pointerEvents: "none", background: "#111", border: "0", transform: "translate(-100px, 0)",
    clipPath: "polygon(0 0, 0 78%, 24% 62%, 42% 100%, 60% 92%, 43% 56%, 78% 56%)",
  });
  const halo = document.createElement("div");
  halo.id = "pointer-halo";
  Object.assign(halo.style, {
    position: "fixed", zIndex: 98, left: "-22px", top: "-22px", width: "44px", height: "44px",
    pointerEvents: "none", borderRadius: "50%", background: "rgb(255 170 0 / .55)",
    transform: "translate(-100px, 0)",
  });
  // An open modal is in the browser's top layer, above all else: the pointer moves into it.
  const place = () => (document.querySelector("dialog[open]") ?? document.body);
  addEventListener("mousemove", (event) => {
    place().append(halo, pointer);
    const at = `translate(${event.clientX}px, ${event.clientY}px)`;
    pointer.style.transform = halo.style.transform = at;
  }, true);
  halo.style.visibility = "hidden";
  addEventListener("mousedown", () => { halo.style.visibility = "visible"; }, true);
  addEventListener("mouseup", () => { halo.style.visibility = "hidden"; }, true);
}"""
_STEPS = 6
_VISIBLE = 16
"""Levels of grey, of 255."""
_STEP_SECONDS = 0.06
_WORD_SECONDS = 0.18


class Film:
    """The frames so far, each with the seconds for which it is shown."""

    def __init__(self, user: PageUser) -> None:
        self._user = user
        self._frames: list[tuple[Image.Image, float]] = []
        self._pointer = (0.0, 0.0)

    async def start(self, pointer: tuple[float, float]) -> None:
        """Draw the mouse pointer, which a screenshot leaves out."""
        await self._user.page.evaluate(_POINTER)
        self._pointer = pointer
        await self._user.page.mouse.move(*pointer)

    async def shoot(self, seconds: float, *, caret: Literal["hide", "initial"] = "hide") -> None:
        """Add a frame. A frame like the one before prolongs that one."""
        picture = _decoded(await self._user.page.screenshot(caret=caret))
        if self._frames and _same(self._frames[-1][0], picture):
            seconds += self._frames.pop()[1]
        self._frames.append((picture, seconds))

    async def shoot_until(self, shown: Locator, seconds: float = 0.8) -> None:
        """Add a frame of `seconds` for every change until the target is visible."""
        async with asyncio.timeout(PATIENCE):
            while not await shown.is_visible():
                picture = _decoded(await self._user.page.screenshot())
                if not _same(self._frames[-1][0], picture):
                    self._frames.append((picture, seconds))

    async def type(self, text: str, *, pause: float = 0.5) -> None:
        """Type into the field with the focus, word by word."""
        for word in re.findall(r"\S+ ?", text):
            await self._user.page.keyboard.type(word)
            await self.shoot(_WORD_SECONDS, caret="initial")
        await self.shoot(pause)

    async def click(self, target: Locator, *, pause: float = 0.4) -> None:
        """Move the pointer to the target, rest there, and press."""
        await target.evaluate("node => node.scrollIntoView({ block: 'nearest' })")
        box = await target.bounding_box()
        assert box is not None
        to = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        mouse, start = self._user.page.mouse, self._pointer
        for step in range(1, _STEPS + 1):
            share = step / _STEPS
            await mouse.move(*(a + (b - a) * share for a, b in zip(start, to, strict=True)))
            await self.shoot(_STEP_SECONDS)
        self._pointer = to
        await self.shoot(pause)
        await mouse.down()
        await self.shoot(0.2)
        await mouse.up()

    def save(self, path: Path, quality: int) -> tuple[int, float]:
        """Write the film, which repeats forever. Returns its bytes and seconds."""
        first, *others = [picture for picture, _ in self._frames]
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=[round(seconds * 1000) for _, seconds in self._frames],
            loop=0,
            quality=quality,
            method=6,
        )
        return path.stat().st_size, sum(seconds for _, seconds in self._frames)


def _decoded(screenshot: bytes) -> Image.Image:
    return Image.open(BytesIO(screenshot)).convert("RGB")


def _same(one: Image.Image, other: Image.Image) -> bool:
    """Whether a person sees no difference. Single pixels differ between two screenshots."""
    difference = ImageChops.difference(one.convert("L").reduce(4), other.convert("L").reduce(4))
    return difference.point([0] * _VISIBLE + [255] * (256 - _VISIBLE)).getbbox() is None
