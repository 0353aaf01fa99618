"""Slack's side: tokens, scopes, signing secret."""

from __future__ import annotations

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.api_errors import code_of, status_of
from bot.domain.app_blocked import REQUIRED_SCOPES, cause_of
from bot.domain.policy import WhoMayStart
from bot.domain.slack_errors import MEANINGS, Meaning, meaning_of
from bot.ops.doctor.finding import Finding, Verdict
from bot.slack.identity import Identity

SCOPES_OF_FULL_MEMBERS = frozenset({"users:read"})
"""Besides, with `WHO_MAY_START=full_members`: Slack tells who is a guest."""
OPTIONAL_SCOPES = {
    "channels:join": "people have to /invite the bot into public channels",
    "channels:history": "a picture of a mention or at the top of its thread may go unseen in a "
    "public channel, and a message may come twice there when Slack's answer is lost",
    "groups:history": "a picture of a mention or at the top of its thread may go unseen in a "
    "private channel, and a message may come twice there when Slack's answer is lost",
    "mpim:history": "a picture of a mention or at the top of its thread may go unseen in a group "
    "direct message, and a message may come twice there when Slack's answer is lost",
    "channels:read": "the bot is not told that a public channel is archived or deleted, or that it "
    "was removed from one; and one that a prompt mentions is “a channel” in it",
    "groups:read": "the bot is not told that a private channel is archived or deleted, or that it "
    "was removed from one; and one that a prompt mentions is “a channel” in it",
    "app_mentions:read": "nobody can direct an image by mentioning the bot",
    "im:history": "the bot hears no direct messages, and may send one twice",
    "files:read": "nobody can start from a picture, and images Redis no longer has are gone",
    "users:read": "people whom a prompt mentions are “someone” in it",
    "usergroups:read": "user groups that a prompt mentions are “a group” in it",
}
"""What the bot can do without, and what it cannot do then."""
SCOPES_IN_AN_ORGANISATION = {
    "users:read": "people of the organisation's other workspaces, and some in shared channels, "
    "are turned away, because the bot cannot tell them from strangers"
}
"""Besides, where the workspace is part of an organisation."""


async def identify(client: AsyncWebClient) -> tuple[Finding, Identity | None]:
    """Whether the bot token is valid, and whose it is."""
    what = "SLACK_BOT_TOKEN"
    if not client.token:
        return Finding(what, Verdict.WRONG, "not set", "copy the Bot User OAuth Token"), None
    try:
        response = await client.auth_test()
    except SlackApiError as error:
        return _refused(what, error, "copy the Bot User OAuth Token (xoxb-…) again"), None
    except (ClientError, SlackClientError, OSError) as error:
        return _unreachable(what, error), None
    headers = {name.lower(): value for name, value in response.headers.items()}
    scopes = headers.get("x-oauth-scopes", "")
    team, org = response.get("team_id") or "", response.get("enterprise_id") or ""
    org_wide = bool(response.get("is_enterprise_install")) or team.startswith("E")
    identity = Identity(
        team_id=team,
        bot_id=response.get("bot_id") or "",
        bot_user=response.get("user_id") or "",
        bot_name=response.get("user") or "",
        url=response.get("url") or "",
        scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        enterprise_id=org or (team if team.startswith("E") else ""),
        org_wide=org_wide,
        app_id=response.get("app_id") or "",
    )
    text = f"valid, @{identity.bot_name} in {response.get('team') or identity.team_id}"
    return Finding(what, Verdict.OK, text), identity


def check_scopes(identity: Identity, who: WhoMayStart = WhoMayStart.TEAM) -> Finding:
    """Whether the bot token was granted what the bot calls."""
    what = "Slack scopes"
    if not identity.scopes:
        return Finding(what, Verdict.WARNING, "Slack did not say which it granted")
    reinstall = "add them under OAuth & Permissions and reinstall the app"
    full = who is WhoMayStart.FULL_MEMBERS
    required = REQUIRED_SCOPES | (SCOPES_OF_FULL_MEMBERS if full else frozenset())
    missing = sorted(required - identity.scopes)
    if full and missing == sorted(SCOPES_OF_FULL_MEMBERS):
        text = "missing users:read, which WHO_MAY_START=full_members needs"
        return Finding(what, Verdict.WRONG, text, reinstall)
    if missing:
        return Finding(what, Verdict.WRONG, f"missing {', '.join(missing)}", reinstall)
    optional = OPTIONAL_SCOPES | (SCOPES_IN_AN_ORGANISATION if identity.enterprise_id else {})
    lacking = {s: why for s, why in optional.items() if s not in identity.scopes}
    if lacking:
        text = "; ".join(f"without {scope}, {why}" for scope, why in lacking.items())
        return Finding(what, Verdict.WARNING, text, reinstall)
    return Finding(what, Verdict.OK, "all granted")


async def check_app_token(client: AsyncWebClient, app_token: str) -> Finding:
    """Whether Socket Mode opens. With a wrong token the SDK would try for ever in silence."""
    what = "SLACK_APP_TOKEN"
    advice = "make an App-Level Token (xapp-…) with connections:write and switch Socket Mode on"
    try:
        await client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        return _refused(what, error, advice)
    except (ClientError, SlackClientError, OSError) as error:
        return _unreachable(what, error)
    return Finding(what, Verdict.OK, "valid, Socket Mode opens")


def check_signing(signing_secret: str) -> Finding:
    """HTTP mode cannot tell Slack's requests from others' without it."""
    what = "SLACK_SIGNING_SECRET"
    if not signing_secret:
        advice = "copy the Signing Secret, or set SLACK_APP_TOKEN to use Socket Mode"
        return Finding(what, Verdict.WRONG, "not set, and HTTP mode needs it", advice)
    return Finding(what, Verdict.OK, "set (Slack alone can tell whether it is right)")


def _refused(what: str, error: SlackApiError, advice: str) -> Finding:
    """A gateway's answer, and what Slack says of itself, may pass."""
    code, status = code_of(error), status_of(error)
    if code == "missing_scope":
        return Finding(what, Verdict.WRONG, "a scope is missing", advice)
    passing = status >= 429 or code.startswith("http_") or meaning_of(code) is Meaning.PASSING
    if cause_of("auth.test", code) or not passing:
        return Finding(what, Verdict.WRONG, f"Slack says {code}", advice)
    told = f"says {code}" if code in MEANINGS else f"answers with status {status}"
    return Finding(what, Verdict.TRANSIENT, f"Slack {told}", "try again in a minute")


def _unreachable(what: str, error: Exception) -> Finding:
    text = f"Slack cannot be reached ({type(error).__name__})"
    return Finding(what, Verdict.TRANSIENT, text, "check SLACK_API_URL, the network and proxies")
