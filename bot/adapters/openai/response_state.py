"""What is known of one response so far, from its events and from the API's answers about it.

Servers other than OpenAI leave fields out, so nothing here trusts the SDK's types.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.adapters.openai.failures import failure_in_stream
from bot.domain.errors import FailureKind, GenerationError

logger = logging.getLogger(__name__)

MAX_SAID = 600
"""Characters of the model's own words that a person is shown."""

_ENDED = {"completed", "incomplete", "failed", "cancelled"}
_STATUS_OF_EVENT = {f"response.{status}": status for status in _ENDED}
_CALL = "image_generation_call"


@dataclass
class ResponseState:
    """One response: the image in it, or why there is none.

    `request_id` is our own name for the request. `model` makes the image: the one that was asked
    for, unless the response names another. `on_partial` is called with each partial image, in
    base64. `ended`: nothing more will come of it. `sequence` is the number of the last event.
    `image_begun`: an image was begun, so there may be something to pay. `result` is the image in
    base64. `error` is what a failure said of itself. `lost` is what the response counts as when
    nothing more can be learnt of it.
    """

    id: str = ""
    request_id: str = ""
    model: str = ""
    on_partial: Callable[[str], None] | None = None
    id_recorded: bool = False
    status: str = ""
    ended: bool = False
    in_background: bool = False
    sequence: int | None = None
    image_begun: bool = False
    result: str = ""
    revised_prompt: str = ""
    error: object = None
    lost: FailureKind = FailureKind.STREAM_ENDED
    _failure: GenerationError | None = None
    _words: str = ""
    _item_failure: GenerationError | None = None
    _error_code: str = ""
    _incomplete_reason: str = ""

    def take_event(self, event: Any) -> None:
        """Take in one event of the stream."""
        number = getattr(event, "sequence_number", None)
        self.sequence = number if isinstance(number, int) else self.sequence
        if (response := getattr(event, "response", None)) is not None:
            self.take_response(response)
        kind = _text(event, "type")
        if kind in _STATUS_OF_EVENT:
            self.status, self.ended = _STATUS_OF_EVENT[kind], True
        elif kind == "response.output_item.done":
            self._take_items([getattr(event, "item", None)])
        elif kind == "response.output_item.added":
            self.image_begun |= _text(getattr(event, "item", None), "type") == _CALL
        elif kind.startswith(f"response.{_CALL}."):
            self.image_begun = True
            if self.on_partial and (partial := _text(event, "partial_image_b64")):
                self._show(partial, self.on_partial)
        elif kind == "error":
            self.fail(failure_in_stream(getattr(event, "code", None)), event)

    def fail(self, failure: GenerationError, error: object) -> None:
        """The stream told of an error: nothing more will come."""
        self._failure, self.ended, self.error = failure, True, _error_body(error)

    def _show(self, partial: str, on_partial: Callable[[str], None]) -> None:
        """A partial image that cannot be shown must not cost the image that is being paid for."""
        try:
            on_partial(partial)
        except Exception as error:  # noqa: BLE001 - any failure of the preview
            logger.warning("a partial image was not shown: %s", type(error).__name__)

    def take_response(self, response: Any) -> None:
        """Take in the response as a whole, as it is now."""
        self.id = _text(response, "id") or self.id
        self.status = _text(response, "status")
        self.ended = self._failure is not None or self.status in _ENDED
        self.in_background = bool(getattr(response, "background", False))
        tools = getattr(response, "tools", None)
        for tool in tools if isinstance(tools, list) else []:
            if _text(tool, "type") == "image_generation":
                self.model = _text(tool, "model") or self.model
        self._take_items(getattr(response, "output", None) or [])
        if (error := getattr(response, "error", None)) is not None:
            self.error = _error_body(error)
        self._error_code = _text(error, "code")
        self._incomplete_reason = _text(getattr(response, "incomplete_details", None), "reason")

    def _take_items(self, items: Iterable[Any]) -> None:
        for item in items:
            kind = _text(item, "type")
            if kind == "message":
                self._words = _words(item) or self._words
            if kind != _CALL:
                continue
            self.image_begun = True
            if not self.result and (result := _text(item, "result")):
                self.result = result
                self.revised_prompt = _text(item, "revised_prompt")
            elif (error := getattr(item, "error", None)) is not None:
                code = error.get("code") if isinstance(error, dict) else _text(error, "code")
                self._item_failure = failure_in_stream(code or "moderation_blocked")

    def reason(self) -> GenerationError:
        """Why there is no image: the image tool's call knows best, then the response, then its
        words."""
        said = self._words[:MAX_SAID].strip()
        known = self._item_failure or self._failure
        if self.status == "failed":
            known = known or failure_in_stream(self._error_code)
        if known:
            moderated = known.kind is FailureKind.MODERATION
            return GenerationError(known.kind, said=said if moderated else "")
        if self.status == "incomplete":
            filtered = self._incomplete_reason == "content_filter"
            return GenerationError(FailureKind.MODERATION if filtered else FailureKind.NO_IMAGE)
        if self.status != "completed":
            return GenerationError(self.lost)
        if self._words:
            return GenerationError(FailureKind.DECLINED, said=said)
        return GenerationError(FailureKind.NO_IMAGE)


def _error_body(error: Any) -> object:
    """An error in the form in which HTTP would have had it."""
    if error is None or isinstance(error, str | dict | list):
        return error
    return {name: _text(error, name) or None for name in ("code", "message", "param")}


def _text(value: Any, name: str) -> str:
    """The attribute where it is a string, else an empty one."""
    found = getattr(value, name, None)
    return found if isinstance(found, str) else ""


def _words(message: Any) -> str:
    """What a message says; a refusal is among its parts."""
    parts = getattr(message, "content", None) or []
    return "\n".join(_text(part, "text") or _text(part, "refusal") for part in parts).strip()
