"""Outcomes that are an HTTP error: the call is refused before any work."""

from .outcomes import Outcome
from .problems import Problem, no_such_model, no_such_previous

SAFETY = (
    "Your request was rejected by the safety system. If you believe this is an error, contact us "
    "at help.openai.com and include the request ID req_fake. safety_violations=[violence]."
)
DETAILS = {"moderation_stage": "input", "categories": ["violence"]}


def moderation_400() -> Outcome:
    """HTTP 400 `moderation_blocked`, type `image_generation_user_error`."""
    return Outcome(name="moderation_400", problem=moderation_problem())


def moderation_problem() -> Problem:
    """The 400 of `moderation_400`."""
    return Problem(
        400,
        SAFETY,
        type="image_generation_user_error",
        code="moderation_blocked",
        moderation_details=DETAILS,
    )


def insufficient_quota() -> Outcome:
    """429: no credit, or the month's budget is used up."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return limit_exceeded("insufficient_quota", message)


def billing_hard_limit_reached(status: int = 429) -> Outcome:
    """The account's hard limit."""
    return limit_exceeded(
        "billing_hard_limit_reached", "Billing hard limit has been reached.", status
    )


def credit_balance_exhausted() -> Outcome:
    """429: prepaid credit is used up."""
    return limit_exceeded("credit_balance_exhausted", "Your credit balance is exhausted.")


def limit_exceeded(
    code: str = "project_spend_limit_exceeded",
    message: str = "A spend limit has been exceeded.",
    status: int = 429,
) -> Outcome:
    """A billing limit (`*_limit_exceeded` and its kin): has no Retry-After, never worth a retry."""
    kind = "insufficient_quota" if code == "insufficient_quota" else "billing_limit_user_error"
    return Outcome(name=code, problem=Problem(status, message, type=kind, code=code))


def invalid_api_key() -> Outcome:
    """401, with part of the key in its message, as the API does."""
    return Outcome(name="invalid_api_key", problem=bad_key("sk-fake***************key"))


def bad_key(key: str) -> Problem:
    """The 401 for a key."""
    message = f"Incorrect API key provided: {key}. You can find your API key at the platform page."
    return Problem(401, message, code="invalid_api_key")


def org_not_verified(model: str = "gpt-image-2.5-flare") -> Outcome:
    """403 with no code: only the status and the message tell."""
    message = f"Your organization must be verified to use the model `{model}`. Please verify it."
    return Outcome(name="org_not_verified", problem=Problem(403, message))


def blocked_by_firewall() -> Outcome:
    """403 of something in front of the API, in HTML."""
    page = (
        "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
        "<body><h1>Sorry, you have been blocked</h1><p>Ray ID: 1a2b</p></body></html>"
    )
    return Outcome(name="blocked_by_firewall", problem=Problem(403, "blocked", html=page))


def country_not_supported() -> Outcome:
    """403 for calls from some countries."""
    problem = Problem(
        403,
        "Country, region, or territory not supported",
        type="request_forbidden",
        code="unsupported_country_region_territory",
    )
    return Outcome(name="country_not_supported", problem=problem)


def rate_limited(
    retry_after: float | str | None = 1,
    code: str = "rate_limit_exceeded",
    *,
    status: int = 429,
    milliseconds: bool = False,
) -> Outcome:
    """429 (`slow_down` too). `retry_after`: seconds, an HTTP date, or None for no header.

    `milliseconds` adds `retry-after-ms`, which the SDK prefers.
    """
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after}"}
    if milliseconds and isinstance(retry_after, int | float):
        headers["retry-after-ms"] = str(int(retry_after * 1000))
    message = "Rate limit reached for images per minute. Please try again later."
    problem = Problem(status, message, type="requests", code=code, headers=headers)
    return Outcome(name=code, problem=problem)


def server_error(status: int = 500, *, html: bool = False) -> Outcome:
    """5xx; `html`: a proxy's page instead of JSON."""
    page = f"<html><body><h1>{status} Bad gateway</h1></body></html>" if html else None
    message = "The server had an error while processing your request. Sorry about that!"
    problem = Problem(status, message, type="server_error", code="server_error", html=page)
    return Outcome(name="server_error", problem=problem)


def bad_request(code: str | None = "invalid_value", param: str | None = None) -> Outcome:
    """400 for a reason that is no one's words."""
    message = f"Invalid value for '{param}'."
    return Outcome(name="bad_request", problem=Problem(400, message, code=code, param=param))


def background_unsupported() -> Outcome:
    """400 where the body asks for `background`; plain success where it does not."""
    message = "Background mode is not supported with the image_generation tool."
    problem = Problem(400, message, code="unsupported_parameter", param="background")
    return Outcome(name="background_unsupported", problem=problem, only_if="background")


def previous_response_not_found(status: int = 400) -> Outcome:
    """The API's 400 (or a compatible server's 404) where the body has `previous_response_id`."""
    return Outcome(
        name="previous_response_not_found",
        problem=no_such_previous("resp_gone", status),
        only_if="previous_response_id",
    )


def unknown_parameter(name: str) -> Outcome:
    """400 of a server that does not know it. Goes well with `when`."""
    message = f"Unknown parameter: '{name}'."
    problem = Problem(400, message, code="unknown_parameter", param=name)
    return Outcome(name="unknown_parameter", problem=problem)


def refused(
    message: str, status: int = 400, *, param: str | None = None, code: str | None = None
) -> Outcome:
    """A refusal in these words. Goes well with `when`."""
    return Outcome(name="refused", problem=Problem(status, message, code=code, param=param))


def streaming_needs_partials() -> Outcome:
    """400 of the API of 2025, and of some proxies still, for a stream without partial images."""
    message = "Streaming must have non-zero partial images"
    kind = "image_generation_user_error"
    problem = Problem(400, message, type=kind, param="tools")
    return Outcome(name="streaming_needs_partials", problem=problem)


def model_not_found(model: str = "gpt-image-9", status: int = 404) -> Outcome:
    """404 `model_not_found`."""
    return Outcome(name="model_not_found", problem=no_such_model(model, status))
