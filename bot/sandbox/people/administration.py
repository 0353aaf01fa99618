"""What happens to places and to the app: archived, deleted, removed, uninstalled."""

from typing import Any

from bot.sandbox.delivery import payloads
from bot.sandbox.delivery.delivery import SECONDS_TO_ACK, Ack, Delivery
from bot.sandbox.webapi.faults import AppBlocked
from bot.sandbox.webapi.middleware import Middleware
from bot.sandbox.workspace.members import Channel
from bot.sandbox.workspace.workspace import Workspace

ChannelRef = Channel | str


class Administration:
    """Each answers the acks of the events that Slack sends of it, in their order."""

    workspace: Workspace
    delivery: Delivery
    middleware: Middleware

    async def archive(self, channel: ChannelRef, by: str = "alice") -> Ack:
        where = self.workspace.channel(channel)
        where.is_archived = True
        kind = "group_archive" if where.is_private else "channel_archive"
        user = self.workspace.user(by).id
        return await self.send_event({"type": kind, "channel": where.id, "user": user})

    async def delete_channel(self, channel: ChannelRef) -> Ack:
        where = self.workspace.channel(channel)
        where.is_deleted = True
        kind = "group_deleted" if where.is_private else "channel_deleted"
        return await self.send_event({"type": kind, "channel": where.id})

    async def remove_bot(self, channel: ChannelRef, by: str = "alice") -> list[Ack]:
        """Slack sends two events: the bot has left, and a member has left."""
        where, bot = self.workspace.channel(channel), self.workspace.app.bot_user
        where.members.discard(bot)
        actor = self.workspace.user(by).id
        left = {"channel": where.id, "actor_id": actor}
        kind = "group_left" if where.is_private else "channel_left"
        member = {"user": bot, "channel": where.id, "channel_type": where.id[0], "inviter": actor}
        return [
            await self.send_event({"type": kind, **left}),
            await self.send_event({"type": "member_left_channel", **member}),
        ]

    async def uninstall(self, *, tokens_first: bool = False) -> list[Ack]:
        """Somebody removes the app: its token is no good, and the two events come in any order."""
        self.middleware.app_blocked = AppBlocked("account_inactive")
        revoked = {"tokens": {"oauth": [], "bot": [self.workspace.app.bot_user]}}
        events: list[dict[str, Any]] = [
            {"type": "app_uninstalled"},
            {"type": "tokens_revoked", **revoked},
        ]
        return [await self.send_event(e) for e in (reversed(events) if tokens_first else events)]

    def reinstall(self) -> None:
        """The same token is good again."""
        self.middleware.app_blocked = None

    async def send_event(self, inner: dict[str, Any], timeout: float = SECONDS_TO_ACK) -> Ack:
        """Any event at all."""
        told = {**inner, "event_ts": self.workspace.clock.next_ts()}
        payload = payloads.event(self.workspace, told)
        return await self.delivery.deliver_event(payload, timeout)

    async def send_interaction(
        self, payload: dict[str, Any], timeout: float = SECONDS_TO_ACK
    ) -> Ack:
        """Any interactive payload at all."""
        app = self.workspace.app
        about = {"team": {"id": app.team_id}, "api_app_id": app.app_id}
        return await self.delivery.deliver_action("interactive", {**about, **payload}, timeout)

    def delete_file(self, file_id: str) -> None:
        """A person deletes a file; messages that show it stay."""
        file = self.workspace.files.get(file_id)
        if file is None:
            raise AssertionError(f"no file {file_id}")
        file.deleted = True
        self.workspace.changes.emit("file_deleted", file=file_id)
