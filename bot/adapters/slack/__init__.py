"""Slack's Web API, as the program uses it.

`client` connects, `calls` makes one call and says what went wrong in the program's own errors,
`files` uploads, `finder` looks for a message that an earlier run may have posted, and `publisher`
shows sessions with them.
"""

from bot.adapters.slack.client import slack_client, slack_session
from bot.adapters.slack.publisher import SlackPublisher

__all__ = ["SlackPublisher", "slack_client", "slack_session"]
