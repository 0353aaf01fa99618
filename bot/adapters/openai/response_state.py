"""What is known of one response so far, from its events and from the API's answers about it.

Servers other than OpenAI leave fields out, so nothing here trusts the SDK's types.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel

from bot.adapters.openai.error_body import moderation_stage
from bot.adapters.openai.failures import Chosen, failure_in_stream
from bot.adapters.openai.usage import usage_of_response
from bot.domain.costs import Usage
from bot.domain.failures import FailureKind, GenerationError

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
    base64. `error` is what a failure said of itself, and `item_error` what the image tool's call
    said, as JSON. `lost` is what the response counts as when nothing more can be learnt of it.
    `usage` is what the response says that it took.
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
    item_error: object = None
    usage: Usage | None = None
    _failed: bool = False
    _words: str = ""
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
            self.fail(event)

    def fail(self, error: object) -> None:
        """The stream told of an error: nothing more will come."""
        self.ended, self._failed, self.error = True, True, as_json(error)

    def _show(self, partial: str, on_partial: Callable[[str], None]) -> None:
        """A partial image that cannot be shown must not cost the image that is being paid for."""
        try:
            on_partial(partial)
        except Exception as error:  # noqa: BLE001 - any failure of the preview
            logger.warning("a partial image was not shown: %s", type(error).__name__)

    def take_answer(self, answer: Any) -> None:
        """Take in an answer in one piece: the response, or an error that came with status 200."""
        self.take_response(answer)
        if not self.status and self.error:
            self.fail(self.error)

    def take_response(self, response: Any) -> None:
        """Take in the response as a whole, as it is now."""
        self.id = _text(response, "id") or self.id
        self.status = _text(response, "status")
        self.ended = self._failed or self.status in _ENDED
        self.in_background = bool(getattr(response, "background", False))
        tools = getattr(response, "tools", None)
        for tool in tools if isinstance(tools, list) else []:
            if _text(tool, "type") == "image_generation":
                self.model = _text(tool, "model") or self.model
        output = getattr(response, "output", None)
        self._take_items(output if isinstance(output, list) else [])
        if (error := getattr(response, "error", None)) is not None:
            self.error = as_json(error)
        self.usage = usage_of_response(response, has_image=bool(self.result)) or self.usage
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
                told = as_json(error)
                coded = isinstance(told, dict) and told.get("code")
                self.item_error = told if coded else {"code": "moderation_blocked", "error": told}

    @property
    def may_be_paid(self) -> bool:
        """Whether the provider may charge for a response that told no usage. It charges for none
        that failed, and for a cancelled one at most where it had begun the image."""
        if self._failed or self.status == "failed":
            return False
        return self.image_begun or self.status != "cancelled"

    def reason(self, own: Iterable[str] = (), chosen: Chosen | None = None) -> GenerationError:
        """Why there is no image: the image tool's call knows best, then the response, then its
        words. `own` is what people wrote, and `chosen` which options."""
        error = self._reason(own, chosen)
        error.usage = self.usage
        error.may_be_paid = self._may_charge_after(error)
        return error

    def _may_charge_after(self, error: GenerationError) -> bool:
        """Whether the provider may charge although it told no usage: it came to the end of its
        work, or it turned down an image that was made."""
        if self.status in {"completed", "incomplete"} and not self._failed:
            return True
        if error.kind is FailureKind.MODERATION:
            return moderation_stage(self.item_error or self.error) == "output"
        return error.may_be_paid and self.may_be_paid

    def _reason(self, own: Iterable[str], chosen: Chosen | None) -> GenerationError:
        said = self._words[:MAX_SAID].strip()
        if self.item_error or self._failed or self.status == "failed":
            known = failure_in_stream(self.item_error or self.error, own, chosen)
            known.said = said if known.kind is FailureKind.MODERATION else ""
            return known
        if self.status == "incomplete":
            filtered = self._incomplete_reason == "content_filter"
            return GenerationError(FailureKind.MODERATION if filtered else FailureKind.NO_IMAGE)
        if self.status != "completed":
            return GenerationError(self.lost)
        if self._words:
            return GenerationError(FailureKind.DECLINED, said=said)
        return GenerationError(FailureKind.NO_IMAGE)


def as_json(value: Any) -> Any:
    """An object of the stream, or a model of the SDK, as the JSON that it came from."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, SimpleNamespace):
        return {name: as_json(field) for name, field in vars(value).items()}
    return [as_json(each) for each in value] if isinstance(value, list) else value


def _text(value: Any, name: str) -> str:
    """The attribute where it is a string, else an empty one."""
    found = getattr(value, name, None)
    return found if isinstance(found, str) else ""


def _words(message: Any) -> str:
    """What a message says; a refusal is among its parts."""
    content = getattr(message, "content", None)
    parts = content if isinstance(content, list) else []
    return "\n".join(_text(part, "text") or _text(part, "refusal") for part in parts).strip()
