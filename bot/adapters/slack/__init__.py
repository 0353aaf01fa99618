"""Slack's Web API, as the program uses it.

`web_api` connects and makes one call, whose errors `api_errors` reads; `pacing` gives each call its
turn by the limits in `rate_limits`. `message_search` finds a message that an earlier run may have
posted, `file_uploads` uploads a file and `file_readiness` waits for it, `channel_joining` joins a
channel, `message_poster` posts, `previews` posts with it, `notices` tells one person, and
`publisher` shows sessions. `downloads` fetches people's pictures,
`workspace_admins` lists admins.
"""

from bot.adapters.slack.downloads import SlackFiles
from bot.adapters.slack.pacing import SlackPacing
from bot.adapters.slack.publisher import SlackPublisher
from bot.adapters.slack.web_api import SlackClient, slack_client, slack_session
from bot.adapters.slack.workspace_admins import WorkspaceAdmins

__all__ = [
    "SlackClient",
    "SlackFiles",
    "SlackPacing",
    "SlackPublisher",
    "WorkspaceAdmins",
    "slack_client",
    "slack_session",
]
