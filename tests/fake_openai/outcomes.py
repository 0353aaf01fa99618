"""How one create call ends: what tests script the fake with."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .problems import Problem

Point = Literal["request", "created", "generating", "partials", "image", "item_done", "end"]
"""Where a generation can be held, or its stream cut:

`request`: taken in, nothing answered. `created`: after `response.created`. `generating`: after
`image_generation_call.generating`. `partials`: after the last partial image. `image`: made and
charged, but nobody was told. `item_done`: after `output_item.done`. `end`: after the last event.
The Images API has no events for `created` and `generating`; it passes these points all the same.
"""

Cut = Literal["drop", "hang", "end"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One ending. Made by the functions of `endings`, combined by `held`, `slow` and the cuts."""

    name: str
    problem: Problem | None = None  # answered instead of any work
    only_if: str | None = None  # the body key without which this outcome is plain success
    ending: Literal["completed", "failed", "incomplete", "error"] = "completed"
    image: bool = True  # an image is made, and charged
    text: str | None = None  # words instead of an image
    item_error: dict[str, Any] | None = None  # on the failed image_generation_call
    code: str | None = None  # of `failed` and `error`
    message: str = ""
    reason: str = "max_output_tokens"  # of `incomplete`
    nested: bool = False  # the error event wraps its error: the SDK raises instead of yielding
    partials: int | None = None  # None: as many as the request asks for
    revised_prompt: str | None = None
    output_format: str | None = None  # what really comes, whatever was asked for
    result: str | None = None  # sent in place of the image's base64
    part: float = 1.0  # of the image's bytes that is sent
    latency: float | None = None  # seconds; None: the server's
    hold_at: Point | None = None
    cut: Cut | None = None  # what happens to the stream; the generation goes on
    cut_at: Point | int = "request"  # an int: after that many events
    works: bool = True  # False: the cut call never reaches the generator
    checked: bool = True  # False: says something the SDK's types don't allow
    extra: dict[str, Any] = field(default_factory=dict)

    def for_body(self, body: dict[str, Any]) -> "Outcome":
        """This outcome, or success where the body gives it no occasion."""
        if self.only_if is not None and not body.get(self.only_if):
            return Outcome(name="success")
        return self


def success(
    *,
    partials: int | None = None,
    revised_prompt: str | None = None,
    output_format: str | None = None,
) -> Outcome:
    """An image. `output_format` overrides what was asked for."""
    return Outcome(
        name="success",
        partials=partials,
        revised_prompt=revised_prompt,
        output_format=output_format,
    )


def webp() -> Outcome:
    """An image in WebP, whatever was asked for."""
    return replace(success(output_format="webp"), name="webp")


def slow(seconds: float, then: Outcome | None = None) -> Outcome:
    """`then`, after that many seconds of work."""
    return replace(then or success(), latency=seconds)


def held(at: Point = "generating", then: Outcome | None = None) -> Outcome:
    """`then`, but the generation stands still at `at` until `FakeOpenAI.release()`."""
    return replace(then or success(), name=f"held at {at}", hold_at=at)


def connection_dropped(at: Point | int = "request", *, paid: bool = True) -> Outcome:
    """The socket closes at `at`; the generation goes on and is paid, unless `paid` is False."""
    return Outcome(name="connection_dropped", cut="drop", cut_at=at, works=paid)


def hang(at: Point | int = "request", *, paid: bool = True) -> Outcome:
    """Nothing more is sent from `at` on, and the socket stays open."""
    return Outcome(name="hang", cut="hang", cut_at=at, works=paid)


def ends_silently(*, with_image: bool = False) -> Outcome:
    """The stream ends cleanly with no terminal event, after `output_item.done` or before it."""
    return Outcome(
        name="ends_silently", cut="end", cut_at="item_done" if with_image else "generating"
    )


def invalid_base64() -> Outcome:
    """A result that is no base64. Charged."""
    return Outcome(name="invalid_base64", result="this is not *base64*!")


def not_an_image() -> Outcome:
    """A result that decodes to something other than an image. Charged."""
    return Outcome(name="not_an_image", result="PGh0bWw+bm8gaW1hZ2UgaGVyZTwvaHRtbD4=")


def cut_short(part: float = 0.6, *, output_format: str | None = None) -> Outcome:
    """The first part of an image's bytes. Charged."""
    return replace(success(output_format=output_format), name="cut_short", part=part)


def completed_without_anything() -> Outcome:
    """`response.completed` with no output at all; the Images API answers an empty `data`."""
    return Outcome(name="completed_without_anything", image=False)
