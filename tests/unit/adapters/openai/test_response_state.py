"""Whether a response without an image, and without a usage, may be paid for."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from bot.adapters.openai.response_state import ResponseState
from bot.domain.failures import FailureKind

BEGUN = {"type": "response.output_item.added", "item": {"type": "image_generation_call"}}
WORDS = {"type": "message", "content": [{"type": "output_text", "text": "I can't draw that."}]}
BLOCKED = {"code": "moderation_blocked", "message": "no"}
USAGE = {"input_tokens": 50, "output_tokens": 9}


def blocked(stage: str) -> dict[str, Any]:
    return {**BLOCKED, "moderation_details": {"categories": ["hate"], "moderation_stage": stage}}


def ended(status: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{status}", "response": {"id": "r", "status": status, **fields}}


def failed(code: str) -> dict[str, Any]:
    return ended("failed", error={"code": code, "message": "no"})


def item(error: dict[str, Any]) -> dict[str, Any]:
    return {"type": "image_generation_call", "status": "failed", "error": error}


def after(*events: dict[str, Any]) -> ResponseState:
    state = ResponseState()
    for event in events:
        state.take_event(json.loads(json.dumps(event), object_hook=lambda o: SimpleNamespace(**o)))
    return state


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([ended("completed")], FailureKind.NO_IMAGE),
        ([ended("completed", output=[WORDS])], FailureKind.DECLINED),
        ([ended("completed", output=[WORDS, item(BLOCKED)])], FailureKind.MODERATION),
        ([ended("completed", output=[item(blocked("input"))])], FailureKind.MODERATION),
        ([BEGUN, ended("completed", output=[WORDS])], FailureKind.DECLINED),
        ([ended("incomplete")], FailureKind.NO_IMAGE),
        (
            [ended("incomplete", incomplete_details={"reason": "content_filter"})],
            FailureKind.MODERATION,
        ),
        ([ended("failed", error=blocked("output"))], FailureKind.MODERATION),
        ([ended("failed", output=[item(blocked("output"))])], FailureKind.MODERATION),
        ([{"type": "error", **blocked("output")}], FailureKind.MODERATION),
        ([BEGUN], FailureKind.STREAM_ENDED),
        ([ended("in_progress")], FailureKind.STREAM_ENDED),
    ],
)
def test_what_the_provider_carried_out_may_be_paid(
    events: list[dict[str, Any]], kind: FailureKind
) -> None:
    reason = after(*events).reason()
    assert (reason.kind, reason.usage, reason.may_be_paid) == (kind, None, True)


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([ended("failed", error=BLOCKED)], FailureKind.MODERATION),
        ([BEGUN, ended("failed", error=blocked("input"))], FailureKind.MODERATION),
        ([ended("failed", output=[item(blocked("input"))])], FailureKind.MODERATION),
        ([{"type": "error", **BLOCKED}], FailureKind.MODERATION),
        ([BEGUN, ended("failed", error=BLOCKED)], FailureKind.MODERATION),
        ([BEGUN, {"type": "error", **BLOCKED}], FailureKind.MODERATION),
        ([BEGUN, failed("server_error")], FailureKind.PROVIDER_DOWN),
        ([BEGUN, {"type": "error", "code": "server_error"}], FailureKind.PROVIDER_DOWN),
        ([failed("server_error")], FailureKind.PROVIDER_DOWN),
        ([failed("rate_limit_exceeded")], FailureKind.RATE_LIMITED),
        ([BEGUN, failed("rate_limit_exceeded")], FailureKind.RATE_LIMITED),
        ([BEGUN, failed("insufficient_quota")], FailureKind.QUOTA),
        ([BEGUN, failed("invalid_value")], FailureKind.BAD_REQUEST),
        ([failed("model_not_found")], FailureKind.MODEL_UNAVAILABLE),
        ([ended("cancelled")], FailureKind.STREAM_ENDED),
    ],
)
def test_what_it_refused_before_its_work_is_free(
    events: list[dict[str, Any]], kind: FailureKind
) -> None:
    reason = after(*events).reason()
    assert (reason.kind, reason.usage, reason.may_be_paid) == (kind, None, False)


def test_a_usage_that_is_told_is_taken_as_it_is() -> None:
    reason = after(ended("failed", error=BLOCKED, usage=USAGE)).reason()
    assert reason.usage is not None
    assert (reason.usage.host_in, reason.may_be_paid) == (50, False)
