"""An image as it travels through the program, and what is asked of a provider."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GeneratedImage:
    """One finished image. `data` is PNG, JPEG or GIF, whichever `mime_type` says.

    `width` and `height` are pixels. `response_id` is the provider's id of the answer that holds
    the image, `revised_prompt` the provider's own wording of the prompt; both may be empty.
    """

    data: bytes
    mime_type: str
    width: int
    height: int
    response_id: str = ""
    revised_prompt: str = ""


@dataclass(frozen=True)
class ImageRequest:
    """What one attempt asks for.

    `response_id` is the provider's id from an earlier run of the same attempt, if it got as far:
    the backend goes on from it rather than pay again. `end_user` is a stable hash (at most 128
    characters) that stands for the person towards the provider.
    """

    prompt: str
    attempt: int = 1
    response_id: str = ""
    end_user: str = ""
