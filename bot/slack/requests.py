"""What the listeners read from Slack's payloads."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.direction import Place
from bot.domain.errors import Reason, Refusal
from bot.domain.prompt import MAX_TYPED, check_length
from bot.views.ids import PROMPT_BLOCK, PROMPT_INPUT, Target, parse_target

Payload = dict[str, Any]


def user_of(args: AsyncArgs) -> str:
    return args.context.user_id or ""


def team_of(args: AsyncArgs) -> str:
    return args.context.team_id or args.context.enterprise_id or ""


def place_of(args: AsyncArgs, channel: str, team: str = "", thread_ts: str = "") -> Place:
    """Who asked for something, and where. `team` is the one already known, if any."""
    return Place(
        team=team or team_of(args),
        user=user_of(args),
        channel=channel,
        response_url=args.body.get("response_url") or "",
        seed=_seed(args.body),
        thread_ts=thread_ts,
    )


def place_of_event(args: AsyncArgs) -> Place:
    """The same for a message. Its `ts` marks it: each delivery has an `event_id` of its own."""
    event, team = args.body["event"], team_of(args)
    channel, ts = event["channel"], event["ts"]
    thread_ts = event.get("thread_ts") or ""
    return Place(
        team=team,
        user=user_of(args),
        channel=channel,
        response_url="",
        seed=f"{team}|{channel}|{ts}",
        thread_ts="" if thread_ts == ts else thread_ts,
    )


def _seed(body: Payload) -> str:
    """What is the same for a request that is delivered twice, and for no other."""
    marks = [str(body.get(name) or "") for name in ("trigger_id", "response_url")]
    if not any(marks):
        return uuid4().hex
    return "|".join([*marks, str(body.get("channel_id") or ""), str(body.get("text") or "")])


def one_word(text: str) -> str:
    """What may be a word such as `help`; empty for a text that is too long to be looked at."""
    return text.strip().lower() if len(text) <= MAX_TYPED else ""


def clicked_target(body: Payload) -> Target:
    """What the clicked button is about. Raises `Refusal` for a value that is not one of ours."""
    return _known(body["actions"][0].get("value"))


def click_id(body: Payload) -> str:
    """What is the same for a click that is delivered twice, and for no other."""
    return str(body["actions"][0].get("action_ts") or "")


def form_target(view: Payload) -> Target:
    """What the form is about. Raises `Refusal` likewise."""
    return _known(view.get("private_metadata"))


def form_values(view: Payload) -> Payload:
    """What was filled in: block id → action id → field."""
    values: Payload = view["state"]["values"]
    return values


def block_ids(view: Payload) -> set[str]:
    """Of the fields; none of a form that holds none, which is no form of ours."""
    match view:
        case {"state": {"values": dict(values)}}:
            return set(values)
    return set()


def form_text(view: Payload) -> str:
    """What was typed into the prompt's field. Raises `Refusal` for more than is read."""
    field = form_values(view).get(PROMPT_BLOCK, {}).get(PROMPT_INPUT, {})
    return check_length(field.get("value") or "")


def _known(value: str | None) -> Target:
    target = parse_target(value or "")
    if target is None:
        raise Refusal(Reason.EXPIRED)
    return target
