"""What the listeners work with."""

from __future__ import annotations

from dataclasses import dataclass

from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.errors import SlackApiError

from bot.domain.session import Session
from bot.ports import Publisher
from bot.service import Direction, Portfolio
from bot.slack.identity import Identity
from bot.slack.request_metrics import acks_first, calling
from bot.tasks import BackgroundTasks
from bot.views.forms import View


@dataclass(frozen=True)
class Desk:
    """Who decides, who knows what a person has, who shows it, and who the bot is."""

    direction: Direction
    portfolio: Portfolio
    publisher: Publisher
    tasks: BackgroundTasks
    identity: Identity

    async def queue_owed(self, session: Session) -> None:
        """What follows from a decision that is kept and acked. Never raises."""
        await acks_first()
        await self.direction.queue_owed(session)


async def open_form(args: AsyncArgs, form: View) -> None:
    """Ack first: whatever Slack's API does, the ack is in time, and the trigger lasts 3 s. A
    trigger that is used up has opened its form already: the request came twice."""
    await args.ack()
    try:
        with calling("views.open"):
            await args.client.views_open(trigger_id=args.body["trigger_id"], view=form)
    except SlackApiError as error:
        if error.response.get("error") != "exchanged_trigger_id":
            raise
