"""An `ResponseState`: what is known of one response so far, from its events and from looks at all of it.

Servers other than OpenAI leave fields out, so nothing here trusts the SDK's types.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from bot.adapters.openai.failures import failure_in_stream
from bot.adapters.openai.image_files import decode_image
from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import GeneratedImage

logger = logging.getLogger(__name__)

MAX_SAID = 600
"""Characters of the model's own words that a person is shown."""

_OVER = {"completed", "incomplete", "failed", "cancelled"}
_ENDINGS = {f"response.{status}": status for status in _OVER}


class ResponseState:
    """One response: the image in it, or why there is none.

    `sequence` is the number of the last event heard. `lost` is what it counts as when nothing
    more can be learnt of it. `on_partial` is told of each partial image, in base64. `request_id`
    is our own name for what was asked. `model` makes the image: the one that was asked for, unless
    the response tells of another. `from_picture`: it edits what a person brought. `began`: an image
    was begun, so there may be something to pay. `error`: what a failure said of itself.
    """

    def __init__(
        self,
        response_id: str = "",
        on_partial: Callable[[str], None] | None = None,
        request_id: str = "",
        model: str = "",
        *,
        from_picture: bool = False,
    ) -> None:
        self.request_id = request_id
        self.model = model
        self._from_picture = from_picture
        self._on_partial = on_partial
        self.begin(response_id)

    def begin(self, response_id: str = "") -> None:
        """Nothing is known yet of this response."""
        self.id = response_id
        self.began = False
        self.error: object = None
        self.sequence: int | None = None
        self.in_background = False
        self.status = ""
        self.lost = FailureKind.STREAM_ENDED
        self.failure: GenerationError | None = None
        self._result = ""
        self._revised_prompt = ""
        self._words = ""
        self._item_failure: GenerationError | None = None
        self._error_code = ""
        self._incomplete_because = ""

    @property
    def has_image(self) -> bool:
        return bool(self._result)

    @property
    def over(self) -> bool:
        """Nothing more will come of it."""
        return self.failure is not None or self.status in _OVER

    @property
    def settled(self) -> bool:
        """There is no need to hear more."""
        return self.has_image or self.over

    def take_event(self, event: Any) -> None:
        """One event of the stream."""
        number = getattr(event, "sequence_number", None)
        self.sequence = number if isinstance(number, int) else self.sequence
        if (response := getattr(event, "response", None)) is not None:
            self.take_response(response)
        kind = _text(event, "type")
        self.status = _ENDINGS.get(kind, self.status)
        if kind == "response.output_item.done":
            self._take_items([getattr(event, "item", None)])
        elif kind == "response.output_item.added":
            self.began |= _is_call(getattr(event, "item", None))
        elif kind.startswith("response.image_generation_call."):
            self.began = True
            self._show(_text(event, "partial_image_b64"))
        elif kind == "error":
            self.error = _explained(event)
            self.failure = failure_in_stream(getattr(event, "code", None))

    def _show(self, partial: str) -> None:
        """What cannot be shown must not cost the image that is being paid for."""
        try:
            if partial and self._on_partial is not None:
                self._on_partial(partial)
        except Exception as error:  # noqa: BLE001 - whatever it is
            logger.warning("a partial image was not shown: %s", type(error).__name__)

    def take_response(self, response: Any) -> None:
        """The response as a whole, as it stands."""
        self.id = _text(response, "id") or self.id
        self.status = _text(response, "status")
        self.in_background = bool(getattr(response, "background", False))
        self.model = _model_of(response) or self.model
        self._take_items(getattr(response, "output", None) or [])
        error = getattr(response, "error", None)
        self.error = _explained(error) if error is not None else self.error
        self._error_code = _text(error, "code")
        details = getattr(response, "incomplete_details", None)
        self._incomplete_because = _text(details, "reason")

    def _take_items(self, items: Iterable[Any]) -> None:
        for item in items:
            if not _is_call(item):
                self._words = "\n".join(_words(item)).strip() or self._words
                continue
            self.began = True
            if not self._result and (result := _text(item, "result")):
                self._result = result
                self._revised_prompt = _text(item, "revised_prompt")
            elif (error := getattr(item, "error", None)) is not None:
                code = error.get("code") if isinstance(error, dict) else _text(error, "code")
                self._item_failure = failure_in_stream(code or "moderation_blocked")

    async def image(self) -> GeneratedImage:
        """The image. Raises `GenerationError` where there is none, or none that can be read."""
        if not self._result:
            raise self.verdict()
        return await decode_image(
            self._result,
            response_id=self.id,
            revised_prompt=self._revised_prompt,
            model=self.model,
            from_picture=self._from_picture,
        )

    def verdict(self) -> GenerationError:
        """Why there is no image: the call itself knows best, then the response, then its words."""
        known = self._item_failure or self.failure
        if self.status == "failed":
            known = known or failure_in_stream(self._error_code)
        if known:
            said = self._said() if known.kind is FailureKind.MODERATION else ""
            return GenerationError(known.kind, said=said)
        if self.status == "incomplete":
            filtered = self._incomplete_because == "content_filter"
            return GenerationError(FailureKind.MODERATION if filtered else FailureKind.NO_IMAGE)
        if self.status != "completed":
            return GenerationError(self.lost)
        if self._words:
            return GenerationError(FailureKind.DECLINED, said=self._said())
        return GenerationError(FailureKind.NO_IMAGE)

    def _said(self) -> str:
        return self._words[:MAX_SAID].strip()


def _is_call(item: Any) -> bool:
    return _text(item, "type") == "image_generation_call"


def _explained(error: Any) -> object:
    """An error as HTTP would have had it."""
    if isinstance(error, str):
        return error
    return {name: _text(error, name) or None for name in ("code", "message", "param")}


def _text(value: Any, name: str) -> str:
    """The attribute where it is a string, else an empty one."""
    found = getattr(value, name, None)
    return found if isinstance(found, str) else ""


def _model_of(response: Any) -> str:
    """The image tool's model; empty where the response does not repeat its tools."""
    tools = getattr(response, "tools", None)
    of_images = (
        _text(tool, "model")
        for tool in (tools if isinstance(tools, list) else [])
        if _text(tool, "type") == "image_generation"
    )
    return next(of_images, "")


def _words(item: Any) -> list[str]:
    """What a message says; a refusal is among its parts."""
    parts = getattr(item, "content", None) if _text(item, "type") == "message" else None
    return [_text(part, "text") or _text(part, "refusal") for part in parts or []]
