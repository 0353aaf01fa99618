"""Slack's Web API, as the program uses it.

`web_api` connects and makes one call, `message_search` looks for a message that an earlier run may
have posted, `message_poster` posts and uploads, `previews` and `notices` post with it, and
`publisher` shows sessions. `downloads` fetches people's pictures.
"""

from bot.adapters.slack.downloads import SlackFiles
from bot.adapters.slack.publisher import SlackPublisher
from bot.adapters.slack.web_api import SlackClient, slack_client, slack_session

__all__ = ["SlackClient", "SlackFiles", "SlackPublisher", "slack_client", "slack_session"]
