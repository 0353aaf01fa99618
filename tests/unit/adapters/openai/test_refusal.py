"""Which extra a refusal is about, however a server words it."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx2
import pytest
from openai import APIStatusError

from bot.adapters.openai.extras import REFUSAL_PATTERNS, OptionalParameter
from bot.adapters.openai.refusal import ApiRefusal
from bot.adapters.openai.request_variant import RequestVariant

ASKED: dict[OptionalParameter, str] = {
    extra: {
        OptionalParameter.QUALITY: "medium",
        OptionalParameter.SIZE: "1024x1024",
        OptionalParameter.OUTPUT_FORMAT: "png",
    }.get(extra, "")
    for extra in OptionalParameter
}
GUESSES = (OptionalParameter.BACKGROUND,)
NAMED_OTHERWISE = {OptionalParameter.NO_PARTIALS, OptionalParameter.TOOL_MODEL}


def refusal(body: Any, status: int = 400) -> APIStatusError:
    """As the SDK makes it: the body is what stands under `error`, if there is such a thing."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    request = httpx2.Request("POST", "http://localhost/v1/responses")
    response = httpx2.Response(status, request=request, text=json.dumps(body))
    return APIStatusError("refused", response=response, body=inner)


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


WORDINGS = [
    lambda name: error(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter"),
    lambda name: error(f"Unknown parameter: '{name}'."),
    lambda name: error(f"Unsupported parameter: '{name}' is not supported with this model."),
    lambda name: error(f"Unrecognized request argument supplied: {name}"),
    lambda name: error("Bad.", param=name),
    lambda name: error("Bad.", param=f"$.{name}"),
    lambda name: error("Bad.", param=f"body.{name}"),
    lambda name: error("Bad.", code=f"unsupported_{name}"),
    lambda name: error(f"`{name}` is not supported by this deployment."),
    lambda name: error(f"{name} is not supported"),
    lambda name: error(f"The parameter {name} is not allowed here."),
    lambda name: error(f"This model does not support {name}."),
    lambda name: error(f"Additional properties are not allowed ('{name}' was unexpected)"),
    lambda name: error(f"generate() got an unexpected keyword argument '{name}'"),
    lambda name: error(
        f"litellm.UnsupportedParamsError: x does not support parameters: ['{name}']"
    ),
    lambda name: {"error": f'json: unknown field "{name}"'},
    lambda name: {"message": f"Extra inputs are not permitted: {name}"},
    lambda name: f"unknown field `{name}`, expected one of `model`, `prompt`, `n`",
    lambda name: {"detail": f"{name}: extra fields not permitted"},
    lambda name: {"detail": [{"loc": ["body", name], "msg": "extra fields not permitted"}]},
    lambda name: {
        "detail": [
            {
                "type": "extra_forbidden",
                "loc": ["body", name],
                "msg": "Extra inputs are not permitted",
                "input": {"quality": "medium", "size": "1024x1024", "prompt": "x"},
            }
        ]
    },
    lambda name: {  # vLLM's
        "object": "error",
        "message": f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), "
        "'msg': 'Extra inputs are not permitted', 'input': 64}]",
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    },
    lambda name: error(f"Unknown parameter: '{name}'.", code="upstream_error"),
    lambda name: error(f"{name} is not supported", code="InternalError.Algo.InvalidParameter"),
    lambda name: error(f"{name} cannot be used with this model."),
    lambda name: error(f"{name} has been deprecated."),
    lambda name: error(f"Please retry your request without {name}."),
    lambda name: error(f"create() takes no keyword argument {name}"),
    lambda name: error(f"{name}: 'x' not in ['y', 'z']"),
    lambda name: error(f"{name}=x is not a valid choice"),
    lambda name: error(
        'AzureException - {"error": {"message": "Unknown parameter: '
        f'\'{name}\'.", "type": "invalid_request_error", "param": "{name}"}}}}'
    ),
]


@pytest.mark.parametrize("wording", WORDINGS)
def test_an_extra_is_known_however_it_is_named(wording: Any) -> None:
    for extra in set(OptionalParameter) - NAMED_OTHERWISE:
        _check_named(wording, extra)


def _check_named(wording: Any, extra: OptionalParameter) -> None:
    asked: dict[OptionalParameter, str] = dict(ASKED)
    if extra is OptionalParameter.ANY_TOOL_CHOICE:
        del asked[OptionalParameter.TOOL_CHOICE]
    if extra is OptionalParameter.PARTIALS:
        del asked[OptionalParameter.NO_PARTIALS]
    if extra is OptionalParameter.STORE:
        del asked[OptionalParameter.BACKGROUND]
    for name in REFUSAL_PATTERNS[extra].parameters:
        blame = ApiRefusal.of(refusal(wording(name))).refused_parameter(asked)
        assert blame is not None, name
        assert (blame.extra, blame.certain) == (extra, True), name


@pytest.mark.parametrize(
    ("body", "extra", "certain"),
    [
        (
            error("Streaming must have non-zero partial images", param="tools"),
            OptionalParameter.NO_PARTIALS,
            True,
        ),
        (
            error("partial_images must be at least 1", param="tools[0]"),
            OptionalParameter.NO_PARTIALS,
            True,
        ),
        (
            error("must be >= 1", param="tools[0].partial_images"),
            OptionalParameter.NO_PARTIALS,
            True,
        ),
        (error("Unknown parameter: 'tools[0].partial_images'."), OptionalParameter.PARTIALS, True),
        (
            error("Your organization must be verified to stream this model.", param="stream"),
            OptionalParameter.STREAM,
            True,
        ),
        (error("Streaming is not available here."), OptionalParameter.STREAM, True),
        (error("storing responses is unsupported"), OptionalParameter.BACKGROUND, True),
        (
            error("Background mode is not supported with the image tool."),
            OptionalParameter.BACKGROUND,
            True,
        ),
        (error("The background is a problem."), OptionalParameter.BACKGROUND, False),
        (
            error("Invalid value: 'medium'. Supported values are: 'standard' and 'hd'."),
            OptionalParameter.QUALITY,
            True,
        ),
        (error("quality must be one of standard, hd"), OptionalParameter.QUALITY, True),
        (error("Size 1024x1024 is not supported, unknown size."), OptionalParameter.SIZE, True),
        (error("Invalid value: '1024x1024'."), OptionalParameter.SIZE, True),
        ({"error": "tools.0.action: Input should be 'auto'"}, OptionalParameter.ACTION, True),
        (
            {"detail": [{"loc": ["body", "tools", 0, "ImageGeneration", "action"], "msg": "no"}]},
            OptionalParameter.ACTION,
            True,
        ),
        (
            error("Unknown parameter: 'safetyIdentifier'."),
            OptionalParameter.SAFETY_IDENTIFIER,
            True,
        ),
        (
            error("Unknown parameter: 'quality'. Allowed: 'size', 'output_format'."),
            OptionalParameter.QUALITY,
            True,
        ),
        (
            error("Unrecognized argument: size. Allowed: output_format"),
            OptionalParameter.SIZE,
            True,
        ),
        (
            error(
                "Invalid value: '0'. Supported values are: '1', '2', and '3'.",
                param="tools[0].partial_images",
                code="invalid_value",
            ),
            OptionalParameter.NO_PARTIALS,
            True,
        ),
        (error("partial_images: Input should be 1, 2 or 3"), OptionalParameter.NO_PARTIALS, True),
        (error("partial_images cannot be 0 when streaming"), OptionalParameter.NO_PARTIALS, True),
        (error("Bad.", param="tools[0].partial_images"), OptionalParameter.NO_PARTIALS, True),
        ({"detail": "Input should be 'standard' or 'hd'"}, OptionalParameter.QUALITY, True),
        (
            {"detail": "value is not a valid enumeration member; permitted: 'standard', 'hd'"},
            OptionalParameter.QUALITY,
            True,
        ),
        (error("medium is not one of standard, hd"), OptionalParameter.QUALITY, True),
        (error("medium is not one of a, b"), OptionalParameter.QUALITY, False),
        (error("medium"), OptionalParameter.QUALITY, False),
        (error("KeyError: 'medium'"), OptionalParameter.QUALITY, True),
        (error("quality=medium"), OptionalParameter.QUALITY, False),
        (error("Supported values are '512x512' and '256x256'."), OptionalParameter.SIZE, True),
        (
            error("Could not process background request: cannot allocate"),
            OptionalParameter.BACKGROUND,
            False,
        ),
        (error("background job could not be created"), OptionalParameter.BACKGROUND, False),
        (error("Background mode is not available right now"), OptionalParameter.BACKGROUND, False),
        (
            {
                "issues": [
                    {
                        "code": "unrecognized_keys",
                        "keys": ["safety_identifier"],
                        "path": [],
                        "message": "Unrecognized key(s) in object: 'safety_identifier'",
                    }
                ]
            },
            OptionalParameter.SAFETY_IDENTIFIER,
            True,
        ),
        (
            {"issues": [{"code": "unrecognized_keys", "keys": ["action"], "message": "Invalid"}]},
            OptionalParameter.ACTION,
            True,
        ),
        (
            error("litellm.APIConnectionError: unsupported parameter background"),
            OptionalParameter.BACKGROUND,
            True,
        ),
        (error("Unbekannter Parameter quality"), OptionalParameter.QUALITY, True),
    ],
)
def test_what_else_servers_say(body: Any, extra: OptionalParameter, certain: bool) -> None:
    blame = ApiRefusal.of(refusal(body)).refused_parameter(ASKED)
    assert blame is not None
    assert (blame.extra, blame.certain) == (extra, certain)


@pytest.mark.parametrize(
    "body",
    [
        error("Unknown parameter: 'tools[0].background'.", param="tools[0].background"),
        error("Unknown parameter: 'tools[0].background'."),
        error("Unknown parameter: 'prompt'.", param="prompt"),
        error("oops"),
        {"detail": "Bad Request", "input": {"quality": "medium"}},
        "",
        None,
        [],
        {"error": None},
    ],
)
def test_nothing_of_ours(body: Any) -> None:
    assert ApiRefusal.of(refusal(body)).refused_parameter(ASKED) is None


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (
            "a fox before a background that must not be stored",
            "Invalid prompt: '…background that must not be stored'",
        ),
        (
            "red cat, plain background",
            "Rate of generation too high for prompt 'red cat, plain background'; cannot go on",
        ),
        ("plain background", "Refused for 'Plain Background': not supported"),
        ("background", "The prompt 'background' is not supported"),
        ("a 'background' in size 1024x1024 please", "No: a 'background' in size 1024x1024 please"),
    ],
)
def test_a_prompt_that_is_repeated_blames_nothing(prompt: str, message: str) -> None:
    assert ApiRefusal.of(refusal(error(message)), (prompt,)).refused_parameter(ASKED) is None


@pytest.mark.parametrize("prompt", ["background", "the background parameter of a fox", "", "   "])
def test_a_prompt_takes_no_parameter_from_a_refusal(prompt: str) -> None:
    blame = ApiRefusal.of(
        refusal(error("Unknown parameter: 'background'.")), (prompt,)
    ).refused_parameter(ASKED)
    assert blame == (OptionalParameter.BACKGROUND, True)


def test_what_is_not_asked_is_not_blamed() -> None:
    asked = {OptionalParameter.STREAM: ""}
    assert (
        ApiRefusal.of(refusal(error("Unknown parameter: 'quality'."))).refused_parameter(asked)
        is None
    )


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "body",
    [
        error("oops"),
        error("oops", param="tools"),
        error("oops", param="tools[0]"),
        {"detail": [{"loc": ["body"], "msg": "bad", "input": "a prompt of words"}]},
        {"status": 400, "error": "Bad Request", "path": "/v1/images/generations"},
        error("There was an issue with your request. Please check your inputs and try again"),
        "<html><h1>400 Bad Request</h1></html>",
        "",
        None,
    ],
)
def test_a_vague_refusal_gives_background_up_for_now(status: int, body: Any) -> None:
    variant = RequestVariant().after(refusal(body, status), ASKED, GUESSES, chosen=False)
    assert variant is not None
    assert variant.without == {OptionalParameter.BACKGROUND}
    assert variant.lasting == frozenset()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (error("oops"), 404),
        (error("oops"), 403),
        (error("oops"), 500),
        (error("oops", param="prompt"), 400),
        (error("oops", param="tools[0].model"), 400),
        (error("Invalid value for 'prompt'."), 400),
        (error("Unknown parameter: 'tools[0].background'."), 401),
        (error("rejected: a store in the background", code="moderation_blocked"), 400),
        (error("Your request was rejected by the safety system. background"), 400),
        (error("no background for you", code="insufficient_quota"), 429),
        (error("no such background", code="model_not_found"), 404),
    ],
)
def test_other_refusals_are_told(body: Any, status: int) -> None:
    assert RequestVariant().after(refusal(body, status), ASKED, GUESSES, chosen=False) is None


def test_a_server_that_breaks_at_a_keyword_has_done_nothing() -> None:
    broken = refusal("__call__() got an unexpected keyword argument 'quality'", 500)
    variant = RequestVariant().after(broken, ASKED, GUESSES, chosen=False)
    assert variant is not None
    assert variant.lasting == {OptionalParameter.QUALITY}


def test_what_a_persons_choice_may_have_caused_is_not_held_against_the_next() -> None:
    words = refusal(error("Quality 'medium' is not supported at this size.", param="quality"))
    variant = RequestVariant().after(words, ASKED, GUESSES, chosen=True)
    assert variant is not None
    assert variant.without == {OptionalParameter.QUALITY}
    assert variant.lasting == frozenset()


def test_one_thing_at_a_time_until_nothing_is_left() -> None:
    variant, asked = RequestVariant(), dict(ASKED)
    named = [
        REFUSAL_PATTERNS[e].parameters[0]
        for e in OptionalParameter
        if e is not OptionalParameter.TOOL_MODEL
    ]
    words = f"needed: {' '.join(named)}; Unknown parameter: 'tools[0].model'"
    partials = refusal(error("partial_images is needed"))
    variant = variant.after(partials, asked, GUESSES, chosen=False) or variant
    asked = {extra: "" for extra in OptionalParameter if extra not in variant.without}
    everything = refusal(error(words))
    for given_up in range(2, len(OptionalParameter) + 1):
        following = variant.after(everything, asked, GUESSES, chosen=False)
        assert following is not None
        variant = following
        assert len(variant.without) == given_up
        asked = {extra: "" for extra in OptionalParameter if extra not in variant.without}
    assert variant.after(everything, asked, GUESSES, chosen=False) is None


@pytest.mark.parametrize(
    "text", ["a" * 9000, "a_" * 4000, "a.b/" * 2000, " \n" * 4000, "[\"'" * 2600, "invalid " * 1000]
)
def test_a_text_that_is_hard_to_read_takes_no_time(text: str) -> None:
    began = time.process_time()
    RequestVariant().after(refusal(error(text)), ASKED, GUESSES, chosen=False)
    assert time.process_time() - began < 0.5
