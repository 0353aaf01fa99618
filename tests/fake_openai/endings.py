"""Outcomes that are failures: refused content, failed generations."""

from .outcomes import Outcome
from .refusals import DETAILS, SAFETY


def refusal_in_words(text: str = "I can't create that image, sorry.") -> Outcome:
    """`response.completed` with a message and no image (Images API: a moderation 400)."""
    return Outcome(name="refusal_in_words", image=False, text=text)


def moderation_stream_error(*, nested: bool = False) -> Outcome:
    """`{"type": "error", "code": "moderation_blocked", …}` in the stream, then its end."""
    return stream_error("moderation_blocked", SAFETY, nested=nested)


def stream_error(code: str, message: str = "Something failed.", *, nested: bool = False) -> Outcome:
    """An `error` event ends the stream.

    Flat (as the types have it) the SDK yields it; nested in `"error"` the SDK raises `APIError`.
    """
    return Outcome(
        name="stream_error",
        image=False,
        ending="error",
        code=code,
        message=message,
        nested=nested,
        checked=not nested,
    )


def moderation_failed_item(*, response_completes: bool = False) -> Outcome:
    """A failed image_generation_call with an error, then `response.failed` (or `completed`)."""
    return Outcome(
        name="moderation_failed_item",
        image=False,
        ending="completed" if response_completes else "failed",
        item_error={
            "code": "moderation_blocked",
            "message": SAFETY,
            "param": None,
            "type": "image_generation_user_error",
            "moderation_details": DETAILS,
        },
        code="image_content_policy_violation",
        message=SAFETY,
    )


def response_failed(
    code: str = "server_error", message: str = "The model failed.", *, checked: bool = True
) -> Outcome:
    """`response.failed`. `checked=False` for a code outside the SDK's list of `ResponseError`."""
    return Outcome(
        name="response_failed",
        image=False,
        ending="failed",
        code=code,
        message=message,
        checked=checked,
    )


def incomplete(reason: str = "max_output_tokens") -> Outcome:
    """`response.incomplete`; reasons: max_output_tokens, max_messages, content_filter, steered."""
    return Outcome(name="incomplete", image=False, ending="incomplete", reason=reason)
