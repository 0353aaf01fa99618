"""What one person sees of the workspace. Private channels, modals and messages of others never
reach their page."""

from dataclasses import asdict
from typing import Any

from bot.sandbox.page.features import Features
from bot.sandbox.workspace.changes import Change
from bot.sandbox.workspace.files import SHOWABLE, dimensions, sniff
from bot.sandbox.workspace.members import Channel
from bot.sandbox.workspace.messages import Message, slack_file_ids
from bot.sandbox.workspace.workspace import Workspace

Json = dict[str, Any]
VIEWABLE = (*SHOWABLE, "webp")
"""What people can attach and look at; blocks take no webp."""
_MESSAGES = ("message", "ephemeral", "message_changed", "message_deleted")


class Visibility:
    """The workspace as the user with the id `viewer` sees it."""

    def __init__(self, workspace: Workspace, viewer: str) -> None:
        self.workspace = workspace
        self.viewer = viewer

    def state(self, features: Features) -> Json:
        """All that the page shows."""
        everything, channels = self.workspace.to_json(), self.workspace.channels.values()
        return {
            "type": "state",
            "me": self.viewer,
            "team": everything["team"],
            "bot_user": everything["bot_user"],
            "users": everything["users"],
            "channels": [self._channel(c) for c in channels if self.is_member(c)],
            "messages": [self._message(m) for m in everything["messages"] if self._sees(m)],
            "views": everything["views"].get(self.viewer, []),
            "home": everything["homes"].get(self.viewer),
            "commands": [asdict(command) for command in features.commands],
            "shortcuts": [asdict(shortcut) for shortcut in features.shortcuts],
            "home_tab": features.home_tab,
        }

    def change(self, change: Change) -> Json | None:
        """A change as this person's page gets it; None where it doesn't concern them."""
        kind = change["type"]
        if kind in _MESSAGES and self._sees(change["message"]):
            return {"type": "message", "message": self._message(change["message"])}
        if kind in ("view", "view_closed") and change["user"] == self.viewer:
            views = self.workspace.views
            stack = [view.to_json() for view in views.stacks.get(self.viewer, [])]
            home = views.homes.get(self.viewer)
            return {"type": "views", "views": stack, "home": home.to_json() if home else None}
        if kind == "question":
            return {"type": kind, "question": change["question"], "facts": change["facts"]}
        if kind == "member_joined":
            channel = self.workspace.channels[change["channel"]]
            return (
                {"type": "channel", "channel": self._channel(channel)}
                if self.is_member(channel)
                else None
            )
        return None

    def is_member(self, channel: Channel) -> bool:
        return self.viewer in channel.members

    def file(self, file_id: str) -> bytes | None:
        """The bytes of an image in a message, modal or Home tab that this person sees, unless it
        shows broken."""
        found = self.workspace.files.get(file_id)
        if found is None or sniff(found.data or b"") not in VIEWABLE:
            return None
        if not (self._in_views(file_id) or self._in_messages(file_id)):
            return None
        return found.data

    def is_gone(self, file_id: str) -> bool:
        """Whether this person has seen the file in a message, and one of the two is deleted since.
        A page may ask for an image after the bot has deleted it."""
        held = [m for m in self.workspace.log if file_id in m.ever_held()]
        seen = [message for message in held if self._sees(message.to_json())]
        taken = self.workspace.files.get(file_id) is None
        return bool(seen) and (taken or all(file_id not in m.holds() for m in seen))

    def _in_messages(self, file_id: str) -> bool:
        return any(
            self._shows(message, file_id) and self._sees(message.to_json())
            for message in self.workspace.log
            if not message.deleted
        )

    def _shows(self, message: Message, file_id: str) -> bool:
        """What blocks show has to be ready; what people attach is there at once, webp included."""
        if file_id in message.files:
            return True
        named = file_id in message.image_ids() and file_id not in message.broken
        return named and self.workspace.files.showable(file_id)

    def _in_views(self, file_id: str) -> bool:
        views, home = self.workspace.views, self.workspace.views.homes.get(self.viewer)
        mine = [*views.stacks.get(self.viewer, []), *([home] if home else [])]
        named = any(file_id in slack_file_ids(view.blocks) for view in mine)
        return named and self.workspace.files.showable(file_id)

    def _sees(self, message: Json) -> bool:
        alone = message["ephemeral_to"]
        channel = self.workspace.channels.get(message["channel"])
        return alone in (None, self.viewer) and channel is not None and self.is_member(channel)

    def _channel(self, channel: Channel) -> Json:
        return {
            **asdict(channel),
            "members": sorted(channel.members),
            "bot": self.workspace.app.bot_user in channel.members,
        }

    def _message(self, message: Json) -> Json:
        return {**message, "files": [self._file(each["id"]) for each in message.get("files", [])]}

    def _file(self, file_id: str) -> Json:
        file = self.workspace.files.get(file_id)
        if file is None:
            return {"id": file_id, "name": "a deleted file", "image": False}
        data = file.data or b""
        width, height = dimensions(data)
        size = {"width": width, "height": height, "bytes": file.length}
        return {"id": file_id, "name": file.name, "image": sniff(data) in VIEWABLE, **size}
