"""`chat.*`: posting, changing and deleting messages."""

from typing import Any

from bot.sandbox.webapi.block_kit import block_problems
from bot.sandbox.webapi.block_kit_elements import problem
from bot.sandbox.webapi.methods import Args, method
from bot.sandbox.workspace.errors import SlackError, invalid
from bot.sandbox.workspace.files import SHOWABLE, sniff
from bot.sandbox.workspace.members import Channel
from bot.sandbox.workspace.messages import Block, Message, block_texts, slack_file_ids
from bot.sandbox.workspace.workspace import Workspace

MOST_POSTED = 40_000
MOST_UPDATED = 4_000
MOST_IN_BLOCKS = 13_200
"""Characters of all texts in a message's blocks: Slack does not document it, people have measured
it (slackapi/bolt-js#2509). A message on a `response_url` may have more."""


def visible_channel(workspace: Workspace, ref: str) -> Channel:
    """A channel that the bot can know of, by id or name; a user's id stands for the direct one."""
    if ref in workspace.users:
        return workspace.direct(ref)
    try:
        channel = workspace.channel(ref)
    except KeyError:
        raise SlackError("channel_not_found") from None
    outside = channel.is_private and workspace.app.bot_user not in channel.members
    if outside or channel.is_deleted:
        raise SlackError("channel_not_found")
    return channel


def writable_channel(workspace: Workspace, ref: str) -> Channel:
    channel = visible_channel(workspace, ref)
    if channel.is_archived:
        raise SlackError("is_archived")
    if workspace.app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def checked_blocks(workspace: Workspace, args: Args) -> list[Block] | None:
    """The call's blocks, when they are all right; None when it has none."""
    blocks = args.structure("blocks", "invalid_blocks_format")
    if blocks is None:
        return None
    if problems := block_problems(blocks) or file_problems(workspace, blocks):
        raise invalid("invalid_blocks", problems)
    if sum(map(len, block_texts(blocks))) > MOST_IN_BLOCKS:
        raise SlackError("msg_blocks_too_long")
    return list(blocks)


def file_problems(workspace: Workspace, blocks: Any, at: str = "/blocks") -> list[str]:
    """Names of files that the bot can't see, that aren't images, or aren't ready yet."""
    for file_id in slack_file_ids(blocks):
        file = workspace.files.get(file_id)
        if file and file.completed and sniff(file.data or b"") not in SHOWABLE:
            workspace.violate(
                f"{file_id} ({sniff(file.data or b'')}) is nothing that an image can show"
            )
    return [
        problem("invalid slack file", f"{at}/{index}/slack_file")
        for index, block in enumerate(blocks)
        for file_id in slack_file_ids(block)
        if not (workspace.bot_sees(file_id) and workspace.files.showable(file_id))
    ]


def checked_text(args: Args, blocks: list[Block] | None, most: int) -> str:
    text = str(args.get("text") or "")
    if not text.strip() and not blocks:
        raise SlackError("no_text")
    if len(text) > most:
        raise SlackError("msg_too_long")
    return text


def names_linked(args: Args) -> bool:
    return args.flag("link_names") or args.get("parse") == "full"


@method("chat.postMessage", "chat:write")
def post_message(workspace: Workspace, args: Args) -> dict[str, Any]:
    channel = writable_channel(workspace, args.text("channel"))
    blocks = checked_blocks(workspace, args)
    text = checked_text(args, blocks, MOST_POSTED)
    thread_ts = args.optional("thread_ts")
    root = workspace.root_of(channel.id, thread_ts) if thread_ts else None
    message = workspace.post(
        channel.id,
        workspace.app.bot_user,
        text,
        blocks or [],
        thread_ts=root.ts if root else None,
        reply_broadcast=args.flag("reply_broadcast"),
        metadata=args.structure("metadata"),
        names_linked=names_linked(args),
    )
    return {"channel": channel.id, "ts": message.ts, "message": message.payload()}


@method("chat.update", "chat:write")
def update(workspace: Workspace, args: Args) -> dict[str, Any]:
    """Blocks that aren't given stay as they are; an empty list takes them away."""
    message = own_message(workspace, args, "cant_update_message")
    blocks = checked_blocks(workspace, args)
    kept = message.blocks if blocks is None else blocks
    text = checked_text(args, kept, MOST_UPDATED)
    message.names_linked = names_linked(args)
    workspace.edit(message, text, blocks)
    answer = {"channel": message.channel, "ts": message.ts, "text": message.text}
    return {**answer, "message": message.payload()}


@method("chat.delete", "chat:write")
def delete(workspace: Workspace, args: Args) -> dict[str, Any]:
    message = own_message(workspace, args, "cant_delete_message")
    workspace.delete(message)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.postEphemeral", "chat:write")
def post_ephemeral(workspace: Workspace, args: Args) -> dict[str, Any]:
    channel = writable_channel(workspace, args.text("channel"))
    user = args.text("user")
    if user not in workspace.users or user not in channel.members:
        raise SlackError("user_not_in_channel")
    blocks = checked_blocks(workspace, args)
    text = checked_text(args, blocks, MOST_POSTED)
    message = workspace.post(
        channel.id,
        workspace.app.bot_user,
        text,
        blocks or [],
        thread_ts=args.optional("thread_ts"),
        ephemeral_to=user,
    )
    return {"message_ts": message.ts}


@method("chat.getPermalink")
def permalink(workspace: Workspace, args: Args) -> dict[str, Any]:
    channel = visible_channel(workspace, args.text("channel"))
    message = workspace.find(channel.id, args.text("message_ts"))
    if message is None:
        raise SlackError("message_not_found")
    link = f"{workspace.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


@method("blocks.validate")
def validate(workspace: Workspace, args: Args) -> dict[str, Any]:
    if checked_blocks(workspace, args) is None:
        raise SlackError("invalid_arguments")
    return {}


def own_message(workspace: Workspace, args: Args, refusal: str) -> Message:
    channel = visible_channel(workspace, args.text("channel"))
    message = workspace.find(channel.id, args.text("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.user != workspace.app.bot_user:
        raise SlackError(refusal)
    return message
