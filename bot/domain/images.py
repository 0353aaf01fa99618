"""An image as it travels through the program, and what is asked of a provider."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.options import NO_OPTIONS, Options


@dataclass(frozen=True)
class GeneratedImage:
    """One finished image. `data` is PNG, JPEG or GIF, whichever `mime_type` says.

    `width` and `height` are pixels. `response_id` is the provider's id of the answer that holds
    the image, `revised_prompt` the provider's own wording of the prompt, `model` the name of the
    model that made it; all three may be empty.
    """

    data: bytes
    mime_type: str
    width: int
    height: int
    response_id: str = ""
    revised_prompt: str = ""
    model: str = ""


@dataclass(frozen=True)
class BaseImage:
    """An image to be edited. `response_id` is the provider's id of the answer that it came in,
    empty where the provider knows it no more or never did; `data` is empty where our own copy
    has expired. One of the two is there."""

    data: bytes = b""
    mime_type: str = ""
    response_id: str = ""


@dataclass(frozen=True)
class ImageRequest:
    """What one candidate of an attempt asks for.

    With a `base`, `change` says what should be different about it, and `changes` what was asked
    for on the way to it, oldest first; `prompt` is then what the first image was made from, empty
    for a picture that a person brought. `from_picture`: all of it goes back to such a picture, at
    whatever distance. `avoid` holds the provider's own wordings of what was
    turned down before. `response_id` is the provider's id from an earlier run of the same
    candidate, if it got as far: the backend goes on from it rather than pay again. `end_user` is
    a stable hash (at most 128 characters) that stands for the person towards the provider;
    `request_id` is our own name for the request, by which both sides' records can be matched.
    """

    prompt: str
    attempt: int = 1
    candidate: int = 1
    options: Options = NO_OPTIONS
    base: BaseImage | None = None
    change: str = ""
    changes: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    from_picture: bool = False
    response_id: str = ""
    end_user: str = ""
    request_id: str = ""
