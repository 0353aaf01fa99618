"""A Slack workspace that runs on this machine, for tests and for a demo without accounts.

The bot under it is the real one: it differs by `SLACK_API_URL` alone. Nothing here imports the bot.

    page/        what a person sees in the browser, over HTTP and a WebSocket
    server       `SimulatedSlack`: one workspace as a running server
    people/      what a person does: commands, clicks, messages, modals; what tests wait for
    delivery/    how the bot hears of it: payloads, Socket Mode, signed HTTP, events
    webapi/      what the bot calls: Web API methods, uploads, response URLs; planned faults
    workspace/   the state: users, channels, messages, files, views, and a stream of its changes

Each room imports only rooms below it; `delivery` and `webapi` know nothing of each other.

`webapi.block_kit` is stricter than Slack. `webapi.faults` makes calls fail on demand. What the bot
did that Slack would refuse, or lose without an error, is kept in `violations`.

The page has no build step and no framework. It makes text nodes of all content. `page.guard` keeps
other sites out, and `page.visibility` shows each person only what is theirs to see.
"""

from bot.sandbox.delivery.delivery import Ack
from bot.sandbox.page.features import Command, Features, Shortcut
from bot.sandbox.page.feed import Feed
from bot.sandbox.page.question import Question
from bot.sandbox.page.server import Page
from bot.sandbox.people.observer import PATIENCE
from bot.sandbox.server import SimulatedSlack
from bot.sandbox.webapi.faults import Fault
from bot.sandbox.webapi.middleware import ApiCall
from bot.sandbox.workspace.members import Channel, User
from bot.sandbox.workspace.messages import Message
from bot.sandbox.workspace.storage import WorkspaceStorage
from bot.sandbox.workspace.views import View

__all__ = [
    "PATIENCE",
    "Ack",
    "ApiCall",
    "Channel",
    "Command",
    "Fault",
    "Features",
    "Feed",
    "Message",
    "Page",
    "Question",
    "Shortcut",
    "SimulatedSlack",
    "User",
    "View",
    "WorkspaceStorage",
]
