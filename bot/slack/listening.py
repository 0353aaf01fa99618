"""What every listener does: it reads the request, decides in time, and keeps its errors inside.

An async listener that raises shortly after `ack()` makes Bolt forget the ack, so nothing escapes:
a refusal or an outage becomes words, anything else becomes an apology and a log line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.errors import SlackApiError

from bot.concurrency import BackgroundTasks, SoftLimit
from bot.domain.attempt import Candidate
from bot.domain.errors import Conflict, StoreUnavailable
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.policy import Person
from bot.domain.prompt import check_length
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.slack_refusals import conversation_kind
from bot.ports import AppBlockedStore, Turn
from bot.service import RequestOrigin, Services
from bot.slack.identity import Identity
from bot.slack.private_messages import thread_of
from bot.slack.request_tracking import (
    count_slack_errors,
    error_code,
    track_listener,
    wait_for_acks,
)
from bot.slack.responder_base import Responder
from bot.telemetry import meters
from bot.telemetry.context import log_context, span
from bot.views.forms import View
from bot.views.ids import PROMPT_BLOCK, PROMPT_INPUT
from bot.views.usage_words import expected_words
from bot.views.words import CLICK_LOST, SOMETHING_BROKE, messages_ahead_words, store_words

log = logging.getLogger(__name__)

T = TypeVar("T")
Payload = dict[str, Any]

ADMITTED_PERSON = "admitted_person"
"""The key in a request's context that holds who acts."""
DECIDE_WITHIN = 2.0
"""Seconds; Slack waits 3 for the ack."""
LOOKING_UP = 0.6
"""Seconds more for a decision that looks something up in Slack, too."""


ExpectRoot = Callable[[str, str], Awaitable[Turn]]

_NOTE_FROM = 3.0
"""Seconds that the first message of a session waits, of which a person is told."""
_NOTE_WITHIN = 0.2
"""Seconds of the ack's time to find that out."""
_DECIDED_AT_ONCE = 50
_WAIT_TO_DECIDE = 0.3
"""Seconds."""


def deciding_limit() -> SoftLimit:
    """In a crowd, the requests that came first are acked first: decided side by side, all would
    wait for the last. A slow store holds up nobody longer."""
    return SoftLimit(_DECIDED_AT_ONCE, _WAIT_TO_DECIDE)


@dataclass(frozen=True)
class ListenerDependencies:
    """`ai_label` is the note that images carry; empty for none. `app_blocked_store` tells the
    workers that Slack refuses the app. `expect_root` answers what the first message of a session
    waits for in its channel, from the channel and the session's id. `admins` are the user ids of
    `ADMINS`. `deciding` is taken for a new session, from the command to its ack."""

    services: Services
    tasks: BackgroundTasks
    identity: Identity
    ai_label: str
    app_blocked_store: AppBlockedStore
    expect_root: ExpectRoot | None = None
    admins: frozenset[str] = frozenset()
    deciding: SoftLimit = field(default_factory=deciding_limit)

    async def waiting_note(self, session: Session) -> str:
        """What a person is told of a session whose first message has to wait for others in its
        channel; empty where it need not, or nobody knows soon enough for the ack."""
        if self.expect_root is None or session.root_ts or not session.attempts:
            return ""
        with suppress(TimeoutError):
            async with asyncio.timeout(_NOTE_WITHIN):
                turn = await self.expect_root(session.channel, session.id)
                return messages_ahead_words(turn.ahead) if turn.seconds > _NOTE_FROM else ""
        return ""

    async def cost_words(
        self,
        args: AsyncArgs,
        channel: str,
        options: Options = NO_OPTIONS,
        *,
        prompt: str = "",
        edits: bool = False,
        base: Candidate | None = None,
    ) -> str:
        """What an image with these options is expected to cost, for a form. Empty where that is
        not known."""
        budgets = self.services.budgets
        if budgets is None:
            return ""
        expected = budgets.expected(options, words=prompt, edits=edits, base=base)
        if not expected.each.known:
            return ""
        admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
        budget = await budgets.tightest_budget(admitted.team, channel, admitted.owner)
        return expected_words(expected, budget)

    async def queue_due(self, session: Session) -> None:
        """Queue what follows from a decision that is stored and acked. Never raises."""
        await wait_for_acks()
        await self.services.jobs.queue_due(session)


class AdmittedPerson(NamedTuple):
    """Somebody who was let in, in the installation `team`."""

    team: str
    person: Person

    @property
    def owner(self) -> str:
        """The person's key in the installation: names their sessions and defaults."""
        return self.person.key_in(self.team)


def origin_of(args: AsyncArgs, channel: str, thread_ts: str = "") -> RequestOrigin:
    """Who asks, and where. The idempotency key is the same for a request that is delivered twice,
    and for no other."""
    admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
    body = args.body
    marks = [str(body.get(name) or "") for name in ("trigger_id", "response_url")]
    told = [str(body.get(name) or "") for name in ("channel_id", "text")]
    return RequestOrigin(
        team=admitted.team,
        person=admitted.person,
        channel=channel,
        response_url=body.get("response_url") or "",
        idempotency_key="|".join([*marks, *told]) if any(marks) else uuid4().hex,
        thread_ts=thread_ts,
        place=conversation_kind(channel, str(body.get("channel_name") or "")),
    )


def origin_of_event(args: AsyncArgs) -> RequestOrigin:
    """Who asks, and where, of a message. Its `ts` identifies it: each delivery has another
    `event_id`."""
    admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
    event = args.body["event"]
    channel, ts = event["channel"], event["ts"]
    return RequestOrigin(
        team=admitted.team,
        person=admitted.person,
        channel=channel,
        response_url="",
        idempotency_key=f"{admitted.team}|{channel}|{ts}",
        thread_ts=thread_of(event),
        place=conversation_kind(channel),
        message_ts=ts,
    )


def click_id(body: Payload) -> str:
    """The idempotency key of a click."""
    return str(body["actions"][0].get("action_ts") or "")


def form_values(view: Payload) -> Payload:
    """The filled-in fields: block id → action id → field."""
    values: Payload = view["state"]["values"]
    return values


def form_text(view: Payload) -> str:
    """The text in the prompt's field. Raises `Refusal` for one that is too long."""
    field = form_values(view).get(PROMPT_BLOCK, {}).get(PROMPT_INPUT, {})
    return check_length(field.get("value") or "")


async def open_form(args: AsyncArgs, form: View) -> None:
    """Ack first: whatever Slack's API does, the ack is in time, and the trigger lasts 3 s. A
    trigger that is used up has opened its form already: the request came twice."""
    await args.ack()
    try:
        with count_slack_errors("views.open"):
            await args.client.views_open(trigger_id=args.body["trigger_id"], view=form)
    except SlackApiError as error:
        if error_code(error) != "exchanged_trigger_id":
            raise


async def within_ack_deadline(deciding: Awaitable[T], extra: float = 0.0) -> T:
    """Await a decision for `DECIDE_WITHIN` and `extra` seconds: several slow answers of the store
    add up. Raises `StoreUnavailable`."""
    try:
        async with asyncio.timeout(DECIDE_WITHIN + extra):
            return await deciding
    except TimeoutError as error:
        raise StoreUnavailable("late") from error


@asynccontextmanager
async def error_boundary(responder: Responder, away: str = CLICK_LOST) -> AsyncIterator[None]:
    """Turn what the body raises into an answer. `away` is said when the store does not answer."""
    with track_listener() as tracked, log_context(), span(f"slack {tracked.name}"):
        try:
            yield
        except Refusal as refusal:
            tracked.outcome = "refused"
            log.info("refused: %s", refusal.limit)
            meters.count_refusal(refusal)
            await _deliver(responder.refuse(refusal))
        except StoreUnavailable as error:
            tracked.outcome = "unavailable"
            log.warning("the store is %s: %s", error.trouble.value, error)
            await _deliver(responder.say(store_words(error, away)))
        except Exception as error:
            tracked.outcome = "error"
            log.error("a listener broke: %s", type(error).__name__)
            log.debug("where", exc_info=not isinstance(error, Conflict))
            await _deliver(responder.say(SOMETHING_BROKE))


async def _deliver(answer: Awaitable[None]) -> None:
    try:
        await answer
    except Exception as error:  # noqa: BLE001 - nothing may escape a listener
        log.warning("an answer could not be delivered: %s", type(error).__name__)
