"""Tokens from answers, whatever servers leave out."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from openai.types import ImagesResponse

from bot.adapters.openai.usage import usage_of_image, usage_of_response
from bot.domain.costs import Usage


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return SimpleNamespace(**{name: plain(each) for name, each in value.items()})
    return value


IMAGE = {
    "input_tokens": 320,
    "input_tokens_details": {"text_tokens": 20, "image_tokens": 300},
    "output_tokens": 439,
}
HOST = {"input_tokens": 50, "output_tokens": 9, "input_tokens_details": {"cached_tokens": 10}}


def test_a_response_tells_both_models() -> None:
    response = plain({"tool_usage": {"image_gen": IMAGE}, "usage": HOST})
    assert usage_of_response(response, has_image=True) == Usage(
        text_in=20, image_in=300, image_out=439, host_in=50, host_cached=10, host_out=9
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"usage": HOST},
        {"usage": HOST, "tool_usage": {"image_gen": None}},
        {"usage": HOST, "tool_usage": {"image_gen": {"input_tokens": 0, "output_tokens": 0}}},
        {"usage": HOST, "tool_usage": []},
        {"usage": HOST, "tool_usage": {"image_gen": {"input_tokens": 320}}},
        {"usage": HOST, "tool_usage": {"image_gen": IMAGE | {"output_tokens": None}}},
        {"usage": HOST | {"input_tokens": -50}, "tool_usage": {"image_gen": IMAGE}},
        {"usage": HOST | {"output_tokens": "9"}, "tool_usage": {"image_gen": IMAGE}},
        {"usage": HOST | {"output_tokens": 10**12}, "tool_usage": {"image_gen": IMAGE}},
        {"usage": HOST, "tool_usage": {"image_gen": IMAGE | {"input_tokens": -1}}},
    ],
)
def test_an_image_without_its_usage_is_not_measured(fields: dict[str, Any]) -> None:
    assert usage_of_response(plain(fields), has_image=True) is None


def test_words_in_place_of_an_image_cost_the_host_models_tokens() -> None:
    usage = usage_of_response(plain({"usage": HOST}), has_image=False)
    assert usage == Usage(host_in=50, host_cached=10, host_out=9)
    assert usage_of_response(plain({"usage": None}), has_image=False) is None


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (IMAGE, Usage(text_in=20, image_in=300, image_out=439)),
        ({"output_tokens": 5}, Usage(image_out=5)),
        ({"input_tokens": 9, "output_tokens": 5}, Usage(text_in=9, image_out=5)),
        (
            {"output_tokens": 5, "output_tokens_details": {"text_tokens": 2}},
            Usage(image_out=3, text_out=2),
        ),
        ({"input_tokens": "many", "output_tokens": True}, None),
        ({"input_tokens": -5, "output_tokens": 1.5}, None),
        ({"input_tokens": 9, "output_tokens": 1.5}, None),
        ({"input_tokens": -5, "output_tokens": 439}, None),
        ({"input_tokens": "9", "output_tokens": 439}, None),
        ({"input_tokens": 9, "output_tokens": float("inf")}, None),
        ({"input_tokens": 9, "output_tokens": float("nan")}, None),
        ({"input_tokens": 9, "output_tokens": 10_000_001}, None),
        ({"input_tokens": 9, "output_tokens": 10**40}, None),
        ({"input_tokens": 9, "output_tokens": [439]}, None),
        ({"input_tokens": 9, "output_tokens": 0}, None),
        ({"input_tokens": 9, "output_tokens": None}, None),
        ({"input_tokens": 9.0, "output_tokens": 439.0}, Usage(text_in=9, image_out=439)),
        ({"input_tokens": None, "output_tokens": 439}, Usage(image_out=439)),
        (
            {"input_tokens": 5, "input_tokens_details": {"image_tokens": 90}, "output_tokens": 1},
            Usage(image_in=5, image_out=1),
        ),
        (
            {
                "input_tokens": 90,
                "input_tokens_details": {
                    "image_tokens": 60,
                    "cached_tokens_details": {"text_tokens": 9, "image_tokens": 99},
                },
                "output_tokens": 1,
            },
            Usage(text_in=30, image_in=60, cached_text_in=9, cached_image_in=60, image_out=1),
        ),
        (None, None),
    ],
)
@pytest.mark.parametrize("form", [plain, lambda usage: usage], ids=["objects", "dictionaries"])
def test_the_images_api_tells_it_in_its_own_usage(
    form: Callable[[Any], Any], usage: Any, expected: Usage | None
) -> None:
    assert usage_of_image(form(usage)) == expected


def test_what_the_types_of_the_sdk_do_not_know_is_read() -> None:
    details = {"image_tokens": 60, "text_tokens": 30, "cached_tokens_details": {"text_tokens": 9}}
    sent = {"input_tokens": 90, "input_tokens_details": details, "output_tokens": 1}
    answer = ImagesResponse.construct(created=1, usage=sent)
    expected = Usage(text_in=30, image_in=60, cached_text_in=9, image_out=1)
    assert usage_of_image(answer.usage) == expected


def test_a_call_without_an_image_costs_what_it_was_told() -> None:
    assert usage_of_image({"input_tokens": 9}, has_image=False) == Usage(text_in=9)
    assert usage_of_image({"input_tokens": 0}, has_image=False) is None
