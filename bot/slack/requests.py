"""Readers of Slack's payloads, for the listeners."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import uuid4

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.errors import Reason, Refusal
from bot.domain.policy import Person
from bot.domain.prompt import MAX_TYPED, check_length
from bot.service import RequestOrigin
from bot.views.ids import PROMPT_BLOCK, PROMPT_INPUT, Target, parse_target

Payload = dict[str, Any]


ACTING = "acting"
"""The key in a request's context that holds who acts."""


class Acting(NamedTuple):
    """Somebody who was let in, in the installation `team`."""

    team: str
    person: Person

    @property
    def owner(self) -> str:
        """What tells the person's sessions and defaults from those of others."""
        return self.person.key_in(self.team)


def acting_of(args: AsyncArgs) -> Acting:
    acting: Acting = args.context[ACTING]
    return acting


def person_of(args: AsyncArgs) -> Person:
    return acting_of(args).person


def user_of(args: AsyncArgs) -> str:
    """To whom an answer goes, whether let in or not."""
    return args.context.user_id or ""


def origin_of(args: AsyncArgs, channel: str, thread_ts: str = "") -> RequestOrigin:
    """Who asks, and where."""
    acting = acting_of(args)
    return RequestOrigin(
        team=acting.team,
        person=acting.person,
        channel=channel,
        response_url=args.body.get("response_url") or "",
        idempotency_key=_idempotency_key(args.body),
        thread_ts=thread_ts,
    )


def origin_of_event(args: AsyncArgs) -> RequestOrigin:
    """The same for a message. Its `ts` identifies it: each delivery has another `event_id`."""
    event, acting = args.body["event"], acting_of(args)
    channel, ts = event["channel"], event["ts"]
    return RequestOrigin(
        team=acting.team,
        person=acting.person,
        channel=channel,
        response_url="",
        idempotency_key=f"{acting.team}|{channel}|{ts}",
        thread_ts=thread_of(event),
    )


def thread_of(event: Payload) -> str:
    """The thread that a message was written in, if any."""
    thread_ts: str = event.get("thread_ts") or ""
    return "" if thread_ts == event["ts"] else thread_ts


def _idempotency_key(body: Payload) -> str:
    """The same for a request that is delivered twice, and for no other."""
    marks = [str(body.get(name) or "") for name in ("trigger_id", "response_url")]
    if not any(marks):
        return uuid4().hex
    return "|".join([*marks, str(body.get("channel_id") or ""), str(body.get("text") or "")])


def one_word(text: str) -> str:
    """The text as a word such as `help`; empty for one that is too long to be looked at."""
    return text.strip().lower() if len(text) <= MAX_TYPED else ""


def clicked_target(body: Payload) -> Target:
    """The target of the clicked button. Raises `Refusal` for a value that is not one of ours."""
    return _known(body["actions"][0].get("value"))


def click_id(body: Payload) -> str:
    """The idempotency key of a click."""
    return str(body["actions"][0].get("action_ts") or "")


def form_target(view: Payload) -> Target:
    """The target of the form. Raises `Refusal` for metadata that is not ours."""
    return _known(view.get("private_metadata"))


def form_values(view: Payload) -> Payload:
    """The filled-in fields: block id → action id → field."""
    values: Payload = view["state"]["values"]
    return values


def block_ids(view: Payload) -> set[str]:
    """The ids of the form's fields; empty for a form without fields, which is not ours."""
    match view:
        case {"state": {"values": dict(values)}}:
            return set(values)
    return set()


def form_text(view: Payload) -> str:
    """The text in the prompt's field. Raises `Refusal` for one that is too long."""
    field = form_values(view).get(PROMPT_BLOCK, {}).get(PROMPT_INPUT, {})
    return check_length(field.get("value") or "")


def _known(value: str | None) -> Target:
    target = parse_target(value or "")
    if target is None:
        raise Refusal(Reason.EXPIRED)
    return target
