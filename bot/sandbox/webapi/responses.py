"""Messages that the bot sends on a `response_url` or in the ack of a command."""

from typing import Any

from bot.sandbox.webapi.chat import MOST_POSTED, checked_blocks, checked_text
from bot.sandbox.webapi.methods import Args
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.messages import Message
from bot.sandbox.workspace.tickets import ResponseUrl
from bot.sandbox.workspace.workspace import Workspace


def use_response_url(workspace: Workspace, response_id: str, args: Args) -> None:
    """Say, replace or delete, as the body asks; counts as a use only when it is all right."""
    place = workspace.tickets.check_response_url(response_id)
    source = _source(workspace, place)
    if args.flag("delete_original"):
        if source is None:
            raise SlackError("message_not_found")
        workspace.delete(source)
    elif args.flag("replace_original") and source is not None:
        blocks = checked_blocks(workspace, args)
        text = checked_text(args, blocks, MOST_POSTED)
        workspace.edit(source, text, blocks if blocks is not None else [])
    else:
        say(workspace, place, args)
    place.uses += 1


def say(workspace: Workspace, place: ResponseUrl, args: Args) -> Message:
    """A message to the person alone, or with `response_type: in_channel` to everyone there.

    Works where the bot isn't a member.
    """
    blocks = checked_blocks(workspace, args)
    text = checked_text(args, blocks, MOST_POSTED)
    private = args.get("response_type", "ephemeral") != "in_channel"
    return workspace.post(
        place.channel,
        workspace.app.bot_user,
        text,
        blocks or [],
        thread_ts=args.optional("thread_ts"),
        ephemeral_to=place.user if private else None,
    )


def show_ack_body(workspace: Workspace, place: ResponseUrl, body: Any) -> None:
    """The body of a command's ack is a message; a bad one is silently lost."""
    args = Args({"text": body} if isinstance(body, str) else body)
    try:
        say(workspace, place, args)
    except SlackError as error:
        workspace.violate(f"the body of an ack can't be shown: {error.error}")


def _source(workspace: Workspace, place: ResponseUrl) -> Message | None:
    """The message that was acted on, whoever can see it."""
    for message in workspace.log:
        if (message.channel, message.ts) == (place.channel, place.message_ts):
            return None if message.deleted else message
    return None
