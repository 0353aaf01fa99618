"""A Slack workspace that runs on this machine, for tests and for a demo without accounts.

The bot under it is the real one: it differs by `SLACK_API_URL` alone.

    a person                 the workspace                       the bot
    people, people_talk, ->  payloads -> delivery           ->   listeners
    people_views               sockets | http_delivery      <-   ack
                             echoes -> delivery             ->   its own direct messages
    observe              <-  workspace <- methods_* <- api  <-   Web API calls
                               responses <- transfers       <-   response_url, uploads, downloads

`workspace` holds all state: users and channels, `messages`, `files`, `views`, `tickets` (trigger
ids and response URLs). The methods of the Web API are functions of the workspace and their
arguments, in the table of `registry`. `blockkit` is stricter than Slack. `faults` breaks calls on
demand. What the bot did that Slack would refuse, or lose without a word, is kept in `violations`.

For a person there is a page in the browser, with no build step and no framework:

    page/ (browser)                  page_server
    main.js draws the parts       <- page_feed: changes and the wire, through page_sight
    api.js: what a person does    -> page_actions -> people, people_views

`page_guard` keeps other sites out, `page_sight` shows each person only what is theirs to see, and
the page makes text nodes of all content. `keeping` saves a workspace between runs.
"""

from bot.sandbox.delivery.delivery import Ack
from bot.sandbox.page.features import Command, Features, Shortcut
from bot.sandbox.page.server import Page
from bot.sandbox.people.observer import PATIENCE
from bot.sandbox.server import SimulatedSlack
from bot.sandbox.webapi.api import ApiCall
from bot.sandbox.webapi.faults import Fault
from bot.sandbox.workspace.messages import Message
from bot.sandbox.workspace.storage import Keeper
from bot.sandbox.workspace.views import View
from bot.sandbox.workspace.workspace import Channel, User

__all__ = [
    "PATIENCE",
    "Ack",
    "ApiCall",
    "Channel",
    "Command",
    "Fault",
    "Features",
    "Keeper",
    "Message",
    "Page",
    "Shortcut",
    "SimulatedSlack",
    "User",
    "View",
]
