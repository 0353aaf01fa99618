"""What other servers' errors mean, in the shapes and words that they were reported in."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.openai.failures import failure_in_stream, failure_of
from bot.domain.failures import FailureKind
from tests.unit.adapters.openai.test_failures import answered

HTML = "text/html; charset=utf-8"
CLOUDFLARE = (
    "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>Sorry, you have been blocked"
)


def said(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": None, **more}}


MODEL: list[tuple[int, Any]] = [
    (404, said("The model `gpt-image-1` does not exist or you do not have access to it.")),
    (404, said("The model 'gpt-image-1' has been deprecated, see the deprecations page.")),
    (400, said("The model gpt-image-1 was shut down on 2026-10-23.", code="model_shutdown")),
    (410, said("Model dall-e-3 is retired.")),
    (404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError"}),
    (404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this …"}}),
    (
        400,
        said("Invalid value: 'gpt-image-1'. Supported values are: 'gpt-image-2'.", param="model"),
    ),
    (400, said("Bad.", param="tools[0].model", code="invalid_value")),
    (403, said("Project `proj_1` does not have access to model `x`", code="model_not_found")),
    (404, {"detail": "Model not found: flux"}),
    (400, {"error": {"message": "x is not a valid model ID", "code": 400}}),
    (404, {"error": {"message": "No endpoints found for stabilityai/x.", "code": 404}}),
    (503, {"error": {"message": "no channel", "code": "model_not_found"}}),
    (500, {"error": {"code": 500, "message": "unknown model gpt-image-1", "type": ""}}),
    (400, said("litellm.BadRequestError: model=x is not supported", code="unsupported_model")),
    (400, said("Model x is no longer available. Use y instead.")),
    (404, {"error": 'model "x" not found, try pulling it first'}),
    (400, said("The model `gpt-4o` is not an image model.", param="model")),
]
MODEL += [
    (404, said("This model version has reached its end-of-life and can't be used.")),
    (400, said("`gpt-image-1` is deprecated. Migrate to gpt-image-2.")),
    (404, {"error": {"code": "ModelEOL", "message": "Reached end of life"}}),
    (400, said("Model with id 'x' was not found")),
    (404, said("The engine x does not exist")),
    (400, {"message": "The provided model identifier is invalid."}),
    (404, [{"error": {"code": 404, "message": "models/imagen-2 is not found for API version v1"}}]),
    (400, said("The images generation operation does not work with the specified model, x.")),
    (422, {"detail": [{"loc": ["body", "model"], "msg": "Input should be 'a' or 'b'"}]}),
]
ROUTE = [
    (404, said("Invalid URL (POST /v1/v1/responses)")),
    (404, {"detail": "Not Found"}),
    (405, {"detail": "Method Not Allowed"}),
    (404, "404 page not found"),
    (404, ""),
    (404, {"status": 404, "error": "Not Found", "path": "/v1/responses"}),
    (404, {"error": {"code": "404", "message": "Resource not found"}}),
    (501, said("Not implemented")),
    (400, "The plain HTTP request was sent to HTTPS port"),
    (
        400,
        {
            "code": "invalid-argument",
            "error": "The model x is an image model and is therefore not available on this "
            "endpoint. Please use a compatible endpoint",
        },
    ),
    (421, "Misdirected Request"),
    (302, "Found"),
    (200, {"error": "Unexpected endpoint or method. (POST /v1/responses). Returning 200 anyway"}),
    (403, {"message": "Missing Authentication Token"}),
]
COUNTRY = [
    (403, said("Country, region, or territory not supported", type="request_forbidden")),
    (403, said("x", code="unsupported_country_region_territory")),
    (400, {"error": {"message": "User location is not supported for the API use.", "code": 400}}),
    (403, "The Amazon CloudFront distribution is configured to block access from your country."),
    (451, "Unavailable For Legal Reasons"),
    (403, {"message": "This service is not available in your region"}),
    (401, said("Unsupported region: RU")),
    (403, said("Requests are not allowed from this jurisdiction")),
]
BLOCKED = [
    (403, "Forbidden"),
    (403, {"message": "Forbidden"}),
    (403, "error code: 1020"),
    (403, "RBAC: access denied"),
    (403, {"error": "Request blocked by WAF", "id": "1"}),
    (407, "Proxy Authentication Required"),
    (403, ""),
    (511, "log in first"),
    (403, {"title": "Error 1010: Access denied", "status": 403}),
    (403, {"message": "Blocked by egress policy"}),
    (403, {"error": {"message": "Host not in allowlist", "code": "forbidden"}}),
    (403, {"message": "Your request was blocked by Zscaler"}),
    (403, {"error": "This request has been blocked by your organization's security policy"}),
]
ACCESS = [
    (401, said("You have insufficient permissions for this operation. Missing scopes: api.x")),
    (403, said("You are not allowed to sample from this", type="permission_error")),
    (403, {"error": {"code": 403, "message": "denied", "status": "PERMISSION_DENIED"}}),
    (401, said("Your IP 1.2.3.4 is not authorized.", code="ip_not_authorized")),
    (401, said("You must be a member of an organization to use the API")),
    (403, said("Something else.")),
    (403, said("Your access was terminated due to violation of our policies")),
    (401, said("x", code="access_terminated")),
]
PASSING = [
    (400, said("An error occurred. You can retry your request.", type="server_error")),
    (400, said("upstream connect error or disconnect/reset before headers")),
    (500, said("x", code="invalid_response_from_engine")),
    (503, {"error": {"message": "no healthy upstream"}}),
    (400, said("CUDA out of memory. Tried to allocate 2.00 GiB")),
    (502, "<html>502 Bad Gateway</html>"),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    (422, said("The service is temporarily unavailable, please try again later.")),
    (500, {"detail": "content policy service is down"}),
    (500, said("Moderation service failed", code="moderation_error", type="server_error")),
    (500, said("The contents are not filtered", code="content_filter_error")),
    (503, said("x", code="billing_unavailable")),
    (500, said("x", code="invalid_model_output")),
    (429, {"error": {"code": "ModelNotReadyException", "message": "Model is not ready."}}),
    (503, {"error": {"code": "ModelNotReady", "message": "The model is loading"}}),
    (500, said("The model `x` is not available right now, please retry")),
    (424, {"message": "The request failed due to an error while processing the model."}),
    (400, said("Server is busy")),
    (422, {"detail": "CUDA error: device-side assert triggered"}),
    (400, {"error": {"code": "InternalError.Timeout", "message": "inference"}}),
]
MODERATION = FailureKind.MODERATION
OTHERS = [
    (400, said("x", code="DataInspectionFailed"), FailureKind.MODERATION),
    (
        400,
        said("Your request was rejected as a result of our safety system."),
        FailureKind.MODERATION,
    ),
    (400, said("litellm.BadRequestError: ContentPolicyViolationError"), FailureKind.MODERATION),
    (403, said("Insufficient credits. Top up your account"), FailureKind.QUOTA),
    (402, {"error": {"message": "x", "code": 402}}, FailureKind.QUOTA),
    (
        403,
        {"error": {"message": "Key limit exceeded (total limit)", "code": 403}},
        FailureKind.QUOTA,
    ),
    (400, said("Budget has been exceeded!", type="budget_exceeded"), FailureKind.QUOTA),
    (
        429,
        {"error": {"code": "RateLimitReached", "message": "call rate"}},
        FailureKind.RATE_LIMITED,
    ),
    (401, {"error": {"code": "401", "message": "invalid subscription key"}}, FailureKind.BAD_KEY),
    (
        403,
        {"error": {"message": "Input was flagged for hate", "code": 403}},
        FailureKind.MODERATION,
    ),
    (403, {"error": {"message": "denied by Firewall rules"}}, FailureKind.BLOCKED),
    (403, said("Your organization must be verified to use the model `x`."), FailureKind.UNVERIFIED),
    (500, said("litellm.ContentPolicyViolationError", code="content_policy_violation"), MODERATION),
    (400, said("prompt contains banned words"), MODERATION),
    (403, said("Access denied", code="Arrearage"), FailureKind.QUOTA),
    (400, said("Your organization must be verified to stream"), FailureKind.UNVERIFIED),
    (401, said("Invalid API key"), FailureKind.BAD_KEY),
    (413, "<html>413 Request Entity Too Large</html>", FailureKind.BAD_REQUEST),
]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        *((*each, FailureKind.MODEL_UNAVAILABLE) for each in MODEL),
        *((*each, FailureKind.WRONG_ROUTE) for each in ROUTE),
        *((*each, FailureKind.COUNTRY_REFUSED) for each in COUNTRY),
        *((*each, FailureKind.BLOCKED) for each in BLOCKED),
        *((*each, FailureKind.NO_ACCESS) for each in ACCESS),
        *((*each, FailureKind.PROVIDER_DOWN) for each in PASSING),
        *OTHERS,
    ],
)
def test_an_error_is_sorted_by_what_it_means(status: int, body: Any, kind: FailureKind) -> None:
    assert failure_of(answered(status, body)).kind is kind


@pytest.mark.parametrize(
    ("status", "page", "kind"),
    [
        (403, CLOUDFLARE, FailureKind.BLOCKED),
        (403, "<html><h1>403 Forbidden</h1><hr>nginx</html>", FailureKind.BLOCKED),
        (401, "<html>401 Authorization Required</html>", FailureKind.BLOCKED),
        (
            403,
            "<html>banned the country or region your IP is in</html>",
            FailureKind.COUNTRY_REFUSED,
        ),
        (404, "<html><h1>404 Not Found</h1></html>", FailureKind.WRONG_ROUTE),
        (400, "<html>400 Bad Request</html>", FailureKind.WRONG_ROUTE),
        (503, "<html>our content policy, sexual billing</html>", FailureKind.PROVIDER_DOWN),
        (429, "<html>too many</html>", FailureKind.RATE_LIMITED),
    ],
)
def test_a_web_page_is_no_answer_of_the_api(status: int, page: str, kind: FailureKind) -> None:
    assert failure_of(answered(status, page, content_type=HTML)).kind is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            {"code": None, "message": "The model `x` has been deprecated"},
            FailureKind.MODEL_UNAVAILABLE,
        ),
        ({"code": 503, "message": "no"}, FailureKind.PROVIDER_DOWN),
        ({"code": 429, "message": "no"}, FailureKind.RATE_LIMITED),
        ({"message": "Rate limit reached"}, FailureKind.RATE_LIMITED),
        ({"message": "Your prompt was flagged by moderation"}, FailureKind.MODERATION),
        ({"message": "exceeded your current quota"}, FailureKind.QUOTA),
        ("upstream closed", FailureKind.PROVIDER_DOWN),
        ({"code": "moderation_service_error", "message": "x"}, FailureKind.PROVIDER_DOWN),
        ({"code": "model_not_ready"}, FailureKind.PROVIDER_DOWN),
        (None, FailureKind.PROVIDER_DOWN),
        ([], FailureKind.PROVIDER_DOWN),
        ({"type": "error", "code": "image_generation_user_error"}, FailureKind.PROVIDER_DOWN),
        ({"code": "invalid_image_format"}, FailureKind.BAD_REQUEST),
    ],
)
def test_an_error_inside_a_stream(error: Any, kind: FailureKind) -> None:
    assert failure_in_stream(error).kind is kind


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (
            said("x", code="moderation_blocked", moderation_details={"categories": ["violence"]}),
            ("violence",),
        ),
        (
            said(
                "x",
                code="moderation_blocked",
                moderation_details={"categories": ["sexual/minors", "hate", "hate", 3, "<!here>"]},
            ),
            ("sexual/minors", "hate"),
        ),
        (
            said("rejected by the safety system. safety_violations=[self-harm, sexual]."),
            ("self-harm", "sexual"),
        ),
        (
            {
                "error": {
                    "code": "content_filter",
                    "innererror": {
                        "content_filter_result": {
                            "hate": {"filtered": False},
                            "violence": {"filtered": True, "severity": "high"},
                        }
                    },
                }
            },
            ("violence",),
        ),
        (
            said("x", code="moderation_blocked", categories={"sexual": True, "hate": False}),
            ("sexual",),
        ),
        (
            said("x", code="moderation_blocked", categories={"sexual": {"flagged": True}}),
            ("sexual",),
        ),
        (
            said(
                "x",
                code="moderation_blocked",
                categories=[{"name": "hate"}, {"category": "sexual", "flagged": False}],
            ),
            ("hate",),
        ),
        (said("x", code="moderation_blocked", categories="violence"), ("violence",)),
        (said("x", code="moderation_blocked"), ()),
        (said("x", code="moderation_blocked", moderation_details={"categories": None}), ()),
        (said("x", code="moderation_blocked", moderation_details="violence"), ()),
    ],
)
def test_the_categories_of_a_moderation_are_kept(body: Any, details: tuple[str, ...]) -> None:
    failure = failure_of(answered(400, body))
    assert failure.kind is FailureKind.MODERATION
    assert failure.details == details


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (said("Unknown parameter: 'quality'.", param="quality"), ("quality high",)),
        (said("Invalid value: 'high'. Supported values are: 'hd'."), ("quality high",)),
        (said("Unsupported size."), ("size 1536×864",)),
        (said("1536x864 is not one of 512x512"), ("size 1536×864",)),
        ({"detail": [{"loc": ["body", "size"], "msg": "bad"}]}, ("size 1536×864",)),
        (said("x", code="unsupported_quality"), ("quality high",)),
        (said("Unknown parameter: 'quality'.", code="upstream_error"), ("quality high",)),
        (said("More than 1 megapixel."), ("size 1536×864",)),
        (said("Bad request."), ()),
    ],
)
def test_the_option_that_is_refused_is_named(body: Any, details: tuple[str, ...]) -> None:
    failure = failure_of(answered(400, body), (), {"quality": "high", "size": "1536x864"})
    assert (failure.kind, failure.details) == (FailureKind.BAD_REQUEST, details)
