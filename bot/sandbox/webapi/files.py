"""`files.*`: the three steps of an upload, reading and deleting files."""

import asyncio
from typing import Any

from bot.sandbox.webapi.chat import writable_channel
from bot.sandbox.webapi.methods import Args, method
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.files import File
from bot.sandbox.workspace.workspace import Workspace

SHARE_SECONDS = 0.02  # a shared file shows up in its channel a moment after the call has answered


@method("files.getUploadURLExternal", "files:write")
def get_upload_url(workspace: Workspace, args: Args) -> dict[str, Any]:
    name, length = args.text("filename"), args.number("length", 0)
    if length <= 0:
        raise SlackError("invalid_arguments")
    alt_txt = args.optional("alt_txt") or ""
    if alt_txt:
        workspace.violate(f"alt_txt on the upload of {name}: sharing such a file fails silently")
    file = workspace.files.begin(name, length, workspace.app.bot_user, alt_txt)
    return {"upload_url": f"{workspace.base_url}/upload/{file.id}", "file_id": file.id}


def receive_bytes(workspace: Workspace, file_id: str, data: bytes) -> tuple[int, str]:
    """What an upload URL answers to the bytes: a status and a text."""
    file = workspace.files.get(file_id)
    if file is None or file.completed:
        return 404, "not found"
    if len(data) != file.length:
        workspace.violate(f"upload of {file.name}: {len(data)} bytes instead of {file.length}")
        return 400, "length mismatch"
    file.data = data
    return 200, f"OK - {len(data)}"


@method("files.completeUploadExternal", "files:write")
def complete_upload(workspace: Workspace, args: Args) -> dict[str, Any]:
    listed = args.structure("files")
    if not isinstance(listed, list) or not listed:
        raise SlackError("invalid_arguments")
    channel_id = args.optional("channel_id")
    channel = writable_channel(workspace, channel_id) if channel_id else None
    files = [_uploaded(workspace, str(each.get("id"))) for each in listed]
    for file, each in zip(files, listed, strict=True):
        file.title = str(each.get("title") or file.name)
        hint = each.get("highlight_type")
        if hint and hint != file.name.rpartition(".")[2]:
            workspace.violate(f"highlight_type {hint} for {file.name}")
        workspace.files.complete(file)
    if channel:
        _share_soon(workspace, files, channel.id, args)
    known = [{"id": file.id, "title": file.title} for file in files]
    workspace.changes.emit("files", files=known)
    return {"files": known}


def _uploaded(workspace: Workspace, file_id: str) -> File:
    """A file whose bytes are there and that nobody has completed before.

    What Slack says to a second completion is unverified; an error makes the caller look.
    """
    file = workspace.files.get(file_id)
    if file is None or file.data is None or file.completed:
        raise SlackError("file_not_found")
    return file


def _share_soon(workspace: Workspace, files: list[File], channel: str, args: Args) -> None:
    shared = [file for file in files if not file.alt_txt]

    def share() -> None:
        for file in shared:
            file.channels.append(channel)
        workspace.post(
            channel,
            workspace.app.bot_user,
            str(args.get("initial_comment") or ""),
            [],
            thread_ts=args.optional("thread_ts"),
            files=[file.id for file in shared],
        )

    if shared:
        delay = max(SHARE_SECONDS, workspace.files.ready_after)
        asyncio.get_running_loop().call_later(delay, share)


@method("files.info", "files:read")
def info(workspace: Workspace, args: Args) -> dict[str, Any]:
    file = workspace.bot_sees(args.text("file"))
    if file is None:
        raise SlackError("file_not_found")
    return {
        "file": workspace.files.describe(file.id),
        "comments": [],
        "response_metadata": {"next_cursor": ""},
    }


@method("files.delete", "files:write")
def delete(workspace: Workspace, args: Args) -> dict[str, Any]:
    file = workspace.bot_sees(args.text("file"))
    if file is None:
        raise SlackError("file_not_found")
    if file.user != workspace.app.bot_user:
        raise SlackError("cant_delete_file")
    file.deleted = True
    workspace.changes.emit("file_deleted", file=file.id)
    return {}
