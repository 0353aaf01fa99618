"""What the listeners work with."""

from __future__ import annotations

from dataclasses import dataclass

from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.errors import SlackApiError

from bot.concurrency import BackgroundTasks
from bot.domain.session import Session
from bot.service import Services
from bot.slack.identity import Identity
from bot.slack.request_tracking import count_slack_errors, wait_for_acks
from bot.views.forms import View


@dataclass(frozen=True)
class ListenerDependencies:
    """`ai_label` is the note that images carry; empty for none."""

    services: Services
    tasks: BackgroundTasks
    identity: Identity
    ai_label: str

    async def queue_owed(self, session: Session) -> None:
        """Queue what follows from a decision that is stored and acked. Never raises."""
        await wait_for_acks()
        await self.services.jobs.queue_owed(session)


async def open_form(args: AsyncArgs, form: View) -> None:
    """Ack first: whatever Slack's API does, the ack is in time, and the trigger lasts 3 s. A
    trigger that is used up has opened its form already: the request came twice."""
    await args.ack()
    try:
        with count_slack_errors("views.open"):
            await args.client.views_open(trigger_id=args.body["trigger_id"], view=form)
    except SlackApiError as error:
        if error.response.get("error") != "exchanged_trigger_id":
            raise
