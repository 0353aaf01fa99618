"""Which parameter a request is made without, after the refusals of each of many servers."""

from __future__ import annotations

import json
from itertools import product

import httpx2
import pytest
from openai import APIStatusError

from bot.adapters.openai.extras import REFUSAL_PATTERNS, Asked, OptionalParameter
from bot.adapters.openai.request_variant import RequestVariant
from tests.fake_openai import SERVERS, Server

OF_IMAGES: Asked = {
    OptionalParameter.SIZE: "1024x1024",
    OptionalParameter.QUALITY: "medium",
    OptionalParameter.OUTPUT_FORMAT: "png",
    OptionalParameter.RESPONSE_FORMAT: "b64_json",
    OptionalParameter.SAFETY_IDENTIFIER: "u",
}
OF_RESPONSES: Asked = {
    **{extra: "" for extra in OptionalParameter if extra is not OptionalParameter.RESPONSE_FORMAT},
    **{
        extra: value
        for extra, value in OF_IMAGES.items()
        if extra is not OptionalParameter.RESPONSE_FORMAT
    },
    OptionalParameter.ACTION: "generate",
}
NAMES = sorted({name for naming in REFUSAL_PATTERNS.values() for name in naming.parameters})


def refusal(server: Server, name: str) -> APIStatusError:
    """As the SDK makes it of the server's answer."""
    problem = server.refuses(name).problem
    assert problem is not None
    body = problem.raw
    text = body if isinstance(body, str) else json.dumps(body)
    request = httpx2.Request("POST", "http://localhost/v1/responses")
    response = httpx2.Response(problem.status, request=request, text=text)
    inner = body.get("error", body) if isinstance(body, dict) else body
    return APIStatusError("refused", response=response, body=inner)


@pytest.mark.parametrize("asked", [OF_IMAGES, OF_RESPONSES], ids=["images", "responses"])
def test_the_parameter_that_is_refused_is_given_up_at_once(asked: Asked) -> None:
    held = {name for extra in asked for name in REFUSAL_PATTERNS[extra].parameters} - {
        "model",
        "detail",
    }
    for server, name in product(SERVERS, sorted(held)):
        variant = RequestVariant().after(refusal(server, name), asked, (), chosen=False)
        assert variant is not None, (server.name, name)
        (given_up,) = variant.without
        assert name in REFUSAL_PATTERNS[given_up].parameters, (server.name, name)


def test_every_parameter_is_tried() -> None:
    assert {"safety_identifier", "output_format", "stream", "store", "instructions"} <= set(NAMES)
