"""What the listeners read from Slack's payloads."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.direction import Place
from bot.domain.errors import Reason, Refusal
from bot.views.ids import PROMPT_BLOCK, PROMPT_INPUT, Target, parse_target

Payload = dict[str, Any]


def user_of(args: AsyncArgs) -> str:
    return args.context.user_id or ""


def place_of(args: AsyncArgs, channel: str, team: str = "") -> Place:
    """Who asked for something, and where. `team` is the one already known, if any."""
    return Place(
        team=team or args.context.team_id or args.context.enterprise_id or "",
        user=user_of(args),
        channel=channel,
        response_url=args.body.get("response_url") or "",
        seed=_seed(args.body),
    )


def _seed(body: Payload) -> str:
    """What is the same for a request that is delivered twice, and for no other."""
    marks = [str(body.get(name) or "") for name in ("trigger_id", "response_url")]
    if not any(marks):
        return uuid4().hex
    return "|".join([*marks, str(body.get("channel_id") or ""), str(body.get("text") or "")])


def clicked_target(body: Payload) -> Target:
    """What the clicked button is about. Raises `Refusal` for a value that is not one of ours."""
    return _known(body["actions"][0].get("value"))


def form_target(view: Payload) -> Target:
    """What the form is about. Raises `Refusal` likewise."""
    return _known(view.get("private_metadata"))


def form_text(view: Payload) -> str:
    """What was typed into the prompt's field."""
    field = view["state"]["values"].get(PROMPT_BLOCK, {}).get(PROMPT_INPUT, {})
    return field.get("value") or ""


def _known(value: str | None) -> Target:
    target = parse_target(value or "")
    if target is None:
        raise Refusal(Reason.EXPIRED)
    return target
