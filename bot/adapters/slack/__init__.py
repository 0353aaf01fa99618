"""Slack's Web API, as the program uses it.

`client` connects, `calls` makes one call and says what went wrong in the program's own errors,
`uploads` uploads, `message_search` looks for a message that an earlier run may have posted,
`message_poster` and `previews` post with them, and `publisher` shows sessions. The other way round,
`downloads` fetches pictures of people.
"""

from bot.adapters.slack.client import SlackClient, slack_client, slack_session
from bot.adapters.slack.downloads import SlackFiles
from bot.adapters.slack.publisher import SlackPublisher

__all__ = ["SlackClient", "SlackFiles", "SlackPublisher", "slack_client", "slack_session"]
