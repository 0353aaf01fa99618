"""Trigger ids, response URLs and Socket Mode tickets, which all expire."""

import secrets
from dataclasses import dataclass, field

from bot.sandbox.workspace.clock import Clock
from bot.sandbox.workspace.errors import SlackError

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    """`view_id` is set when the action was in a modal, on which another can then be pushed."""

    id: str
    user: str
    made_at: float
    view_id: str | None = None
    used: bool = False


@dataclass
class ResponseUrl:
    """Who acted where; `message_ts` names the message acted on, which may be replaced."""

    id: str
    user: str
    channel: str
    made_at: float
    thread_ts: str | None = None
    message_ts: str | None = None
    uses: int = 0


@dataclass
class Tickets:
    clock: Clock
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    sockets: set[str] = field(default_factory=set)

    def trigger(self, user: str, view_id: str | None = None) -> str:
        trigger_id = f"{int(self.clock.now())}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(trigger_id, user, self.clock.now(), view_id)
        return trigger_id

    def check_trigger(self, trigger_id: str) -> Trigger:
        """The trigger, if a view can still be opened with it."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.clock.now() - trigger.made_at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        return trigger

    def response_url(
        self, user: str, channel: str, thread_ts: str | None = None, message_ts: str | None = None
    ) -> ResponseUrl:
        made = ResponseUrl(
            secrets.token_hex(12), user, channel, self.clock.now(), thread_ts, message_ts
        )
        self.response_urls[made.id] = made
        return made

    def check_response_url(self, response_id: str) -> ResponseUrl:
        """The response URL, if it can still be used."""
        found = self.response_urls.get(response_id)
        if found is None or self.clock.now() - found.made_at > RESPONSE_URL_SECONDS:
            raise SlackError("expired_url")
        if found.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        return found

    def socket_ticket(self) -> str:
        """Admits one Socket Mode connection, once."""
        ticket = secrets.token_hex(16)
        self.sockets.add(ticket)
        return ticket
