import json
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from openai import APIStatusError, APITimeoutError

from bot.adapters.openai.failures import failure_in_stream, failure_of, retry_after
from bot.adapters.openai.models import parse_shutdown
from bot.domain.failures import FailureKind


def answered(
    status: int, body: object, *, content_type: str = "application/json"
) -> APIStatusError:
    """As the SDK makes it of the answer."""
    text = body if isinstance(body, str) else json.dumps(body)
    response = httpx2.Response(
        status,
        request=httpx2.Request("POST", "http://localhost/v1/responses"),
        text=text,
        headers={"content-type": content_type},
    )
    inner = body.get("error", body) if isinstance(body, dict) else body
    return APIStatusError("refused", response=response, body=inner)


def kind_of(code: str, status: int | None) -> FailureKind:
    if status is None:
        return failure_in_stream({"code": code, "message": "x"}).kind
    return failure_of(answered(status, {"error": {"code": code, "message": "x"}})).kind


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("moderation_blocked", 400, FailureKind.MODERATION),
        ("moderation_blocked", None, FailureKind.MODERATION),
        ("content_policy_violation", 400, FailureKind.MODERATION),
        ("image_content_policy_violation", None, FailureKind.MODERATION),
        ("bio_policy", None, FailureKind.MODERATION),
        ("invalid_prompt", None, FailureKind.MODERATION),
        ("insufficient_quota", 429, FailureKind.QUOTA),
        ("insufficient_quota", None, FailureKind.QUOTA),
        ("billing_hard_limit_reached", 400, FailureKind.QUOTA),
        ("credit_balance_exhausted", 429, FailureKind.QUOTA),
        ("project_spend_limit_exceeded", 429, FailureKind.QUOTA),
        ("", 402, FailureKind.QUOTA),
        ("rate_limit_exceeded", 429, FailureKind.RATE_LIMITED),
        ("rate_limit_exceeded", None, FailureKind.RATE_LIMITED),
        ("slow_down", 503, FailureKind.RATE_LIMITED),
        ("", 429, FailureKind.RATE_LIMITED),
        ("invalid_api_key", 401, FailureKind.BAD_KEY),
        ("", 401, FailureKind.BAD_KEY),
        ("", 403, FailureKind.NO_ACCESS),
        ("model_not_found", 404, FailureKind.MODEL_UNAVAILABLE),
        ("model_not_found", 403, FailureKind.MODEL_UNAVAILABLE),
        ("deprecated_model", 400, FailureKind.MODEL_UNAVAILABLE),
        ("DeploymentNotFound", 404, FailureKind.MODEL_UNAVAILABLE),
        ("unsupported_country_region_territory", 403, FailureKind.COUNTRY_REFUSED),
        ("data_residency_mismatch", 401, FailureKind.WRONG_ROUTE),
        ("image_generation_failed", None, FailureKind.PROVIDER_DOWN),
        ("image_processing_error", 400, FailureKind.PROVIDER_DOWN),
        ("invalid_upstream_response", None, FailureKind.PROVIDER_DOWN),
        ("unknown_error", None, FailureKind.PROVIDER_DOWN),
        ("missing_worker", None, FailureKind.PROVIDER_DOWN),
        ("unsupported_state", None, FailureKind.PROVIDER_DOWN),
        ("empty_response", 502, FailureKind.PROVIDER_DOWN),
        ("moderation_service_unavailable", 503, FailureKind.PROVIDER_DOWN),
        ("image_too_large", None, FailureKind.BAD_REQUEST),
        ("unsupported_image_media_type", None, FailureKind.BAD_REQUEST),
        ("tokens_limit_exceeded", 429, FailureKind.RATE_LIMITED),
        ("concurrency_limit_exceeded", 429, FailureKind.RATE_LIMITED),
        ("context_length_limit_exceeded", 400, FailureKind.BAD_REQUEST),
        ("retention_policy_violation", 400, FailureKind.BAD_REQUEST),
        ("500", None, FailureKind.PROVIDER_DOWN),
        ("429", None, FailureKind.RATE_LIMITED),
        ("401", None, FailureKind.BAD_KEY),
        ("invalid_value", 400, FailureKind.BAD_REQUEST),
        ("invalid_image_format", None, FailureKind.BAD_REQUEST),
        ("", 422, FailureKind.BAD_REQUEST),
        ("server_error", None, FailureKind.PROVIDER_DOWN),
        ("something_new", None, FailureKind.PROVIDER_DOWN),
        ("", None, FailureKind.PROVIDER_DOWN),
        ("", 500, FailureKind.PROVIDER_DOWN),
        ("something_new", 529, FailureKind.PROVIDER_DOWN),
        ("", 408, FailureKind.TIMED_OUT),
        ("", 501, FailureKind.WRONG_ROUTE),
        ("", 404, FailureKind.WRONG_ROUTE),
        ("", 451, FailureKind.COUNTRY_REFUSED),
        ("previous_response_not_found", 400, FailureKind.SOURCE_GONE),
        ("previous_response_not_found", None, FailureKind.SOURCE_GONE),
    ],
)
def test_the_code_decides_and_else_the_status(
    code: str, status: int | None, kind: FailureKind
) -> None:
    assert kind_of(code, status) is kind


@pytest.mark.parametrize(
    ("words", "status", "kind"),
    [
        ("Prompt flagged by moderation", 400, FailureKind.MODERATION),
        ("Your input was flagged", 403, FailureKind.MODERATION),
        ("This request was blocked: inappropriate content", 400, FailureKind.MODERATION),
        ("Your request was blocked.", 403, FailureKind.BLOCKED),  # by a firewall
        ("Your organization must be verified", 403, FailureKind.UNVERIFIED),
        ("Billing hard limit has been reached", 429, FailureKind.QUOTA),
        ("You exceeded your current quota", 429, FailureKind.RATE_LIMITED),
        ("Insufficient credits", 403, FailureKind.QUOTA),
        ("Incorrect API key provided", 400, FailureKind.BAD_KEY),
        ("Invalid value", 400, FailureKind.BAD_REQUEST),
        ("Invalid: 'a poster about a content policy'", 400, FailureKind.BAD_REQUEST),
        ("content policy service is down", 500, FailureKind.PROVIDER_DOWN),
    ],
)
def test_words_decide_where_the_code_says_nothing(
    words: str, status: int, kind: FailureKind
) -> None:
    response = httpx2.Response(status, request=httpx2.Request("POST", "http://localhost"))
    error = APIStatusError("refused", response=response, body={"message": words})
    assert failure_of(error, ("a poster about a content policy",)).kind is kind


@pytest.mark.parametrize("code", ["contentFilter", "ContentPolicyViolationError", "content_filter"])
def test_codes_are_known_however_they_are_spelled(code: str) -> None:
    assert kind_of(code, 400) is FailureKind.MODERATION


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_as_a_date() -> None:
    then = datetime.now(UTC) + timedelta(seconds=60)
    seconds = retry_after({"retry-after": format_datetime(then, usegmt=True)})
    assert seconds == pytest.approx(60, abs=3)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        (None, None),
        ("", None),
        ("2026-12-01", date(2026, 12, 1)),
        ("2026-12-01T09:00:00Z", date(2026, 12, 1)),
        (1796083200, date(2026, 12, 1)),
        ("1796083200", date(2026, 12, 1)),
        ("some day", None),
        (1e30, None),
    ],
)
def test_shutdown_dates(value: object, day: date | None) -> None:
    assert parse_shutdown(value) == day


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (httpx2.ConnectTimeout("x"), FailureKind.PROVIDER_DOWN),
        (httpx2.PoolTimeout("x"), FailureKind.PROVIDER_DOWN),
        (httpx2.ReadTimeout("x"), FailureKind.TIMED_OUT),
    ],
)
def test_a_call_that_never_left_may_be_repeated(cause: Exception, kind: FailureKind) -> None:
    error = APITimeoutError(httpx2.Request("POST", "http://localhost/"))
    error.__cause__ = cause
    assert failure_of(error).kind is kind


@pytest.mark.parametrize("page", [False, True])
@pytest.mark.parametrize(
    ("statuses", "may_be_paid"),
    [((408, 499, 502, 504, 520, 524), True), ((400, 401, 403, 429, 500, 503, 521, 522), False)],
)
def test_a_server_in_between_leaves_open_whether_the_call_was_taken(
    statuses: tuple[int, ...], may_be_paid: bool, page: bool
) -> None:
    content_type = "text/html" if page else "application/json"
    bodies = {status: answered(status, "<p>x", content_type=content_type) for status in statuses}
    told = {status: failure_of(error).may_be_paid for status, error in bodies.items()}
    assert told == dict.fromkeys(statuses, may_be_paid)


@pytest.mark.parametrize(
    ("stage", "may_be_paid"), [("output", True), ("input", False), ("unknown", False)]
)
def test_an_image_that_was_made_and_then_refused_may_be_paid(stage: str, may_be_paid: bool) -> None:
    details = {"categories": ["violence"], "moderation_stage": stage}
    said = {"code": "moderation_blocked", "message": "no", "moderation_details": details}
    failure = failure_of(answered(400, json.dumps({"error": said})))
    assert (failure.kind, failure.may_be_paid) == (FailureKind.MODERATION, may_be_paid)
