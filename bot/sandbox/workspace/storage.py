"""Stores the messages, channels and files of a workspace in a folder between runs.

Open modals, trigger ids and response URLs are not stored.
"""

import asyncio
import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

from bot.sandbox.workspace.files import File
from bot.sandbox.workspace.members import Channel
from bot.sandbox.workspace.messages import Message, Snapshot
from bot.sandbox.workspace.workspace import Workspace

_SAVE_DELAY = 0.5
_STORED_CHANGES = (
    "message", "ephemeral", "message_changed", "message_deleted", "member_joined", "files",
    "file_deleted",
)  # fmt: skip


class WorkspaceStorage:
    """Loads the workspace at once, and saves it soon after each change and at the end."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self._workspace = workspace
        self._folder = folder
        self._timer: asyncio.TimerHandle | None = None
        (folder / "files").mkdir(parents=True, exist_ok=True)
        self._load()

    async def run(self) -> None:
        """Until the workspace stops."""
        async for change in self._workspace.changes.subscribe():
            if change["type"] in _STORED_CHANGES and self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(_SAVE_DELAY, self.save)
        if self._timer is not None:
            self._timer.cancel()
        self.save()

    def save(self) -> None:
        self._timer = None
        for file in self._workspace.files.all():
            path = self._folder / "files" / file.id
            if file.deleted:
                path.unlink(missing_ok=True)
            elif file.data is not None and not path.exists():
                path.write_bytes(file.data)
        written = self._folder / "workspace.json.new"
        written.write_text(json.dumps(self._snapshot()), encoding="utf-8")
        written.replace(self._folder / "workspace.json")

    def _snapshot(self) -> dict[str, Any]:
        workspace = self._workspace
        return {
            "next_id": next(workspace.ids),
            "channels": [
                _fields(c, members=sorted(c.members)) for c in workspace.channels.values()
            ],
            "messages": [_message_fields(m) for m in workspace.log],
            "files": [_fields(f, data=None) for f in workspace.files.all()],
        }

    def _load(self) -> None:
        path = self._folder / "workspace.json"
        if not path.exists():
            return
        kept, workspace = json.loads(path.read_text(encoding="utf-8")), self._workspace
        workspace.ids = itertools.count(kept["next_id"])
        for each in kept["channels"]:
            channel = Channel(**{**each, "members": set(each["members"])})
            workspace.channels[channel.id] = channel
        workspace.files.restore([self._file(each) for each in kept["files"]])
        workspace.log[:] = [_message(workspace, each) for each in kept["messages"]]

    def _file(self, kept: dict[str, Any]) -> File:
        path = self._folder / "files" / str(kept["id"])
        return File(**{**kept, "data": path.read_bytes() if path.exists() else None})


def _fields(item: Any, **changed: Any) -> dict[str, Any]:
    return {f.name: getattr(item, f.name) for f in dataclasses.fields(item)} | changed


def _message_fields(message: Message) -> dict[str, Any]:
    kept = _fields(message, broken=sorted(message.broken))
    history = [dataclasses.asdict(state) for state in message.history]
    del kept["_files"]
    return kept | {"original": history[0], "edits": history[1:]}


def _message(workspace: Workspace, kept: dict[str, Any]) -> Message:
    original, edits = kept.pop("original"), [Snapshot(**each) for each in kept.pop("edits")]
    kept |= {"broken": set(kept["broken"]), "reactions": [tuple(r) for r in kept["reactions"]]}
    message = Message(**kept, edits=edits, _files=workspace.files)
    message.original = Snapshot(**original)
    return message
