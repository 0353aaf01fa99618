"""When Slack refuses the whole app, and not one call, message or channel.

`cause_of` sorts Slack's error codes by that. What it does not know concerns one call alone, such as
`is_archived`, `restricted_action` or `no_permission`: one person's channel must not stop everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.session import Session, with_attempt

REQUIRED_SCOPES = frozenset({"chat:write", "commands", "files:write"})
"""What the bot cannot do without."""

VITAL_METHODS = frozenset(
    {
        "chat.postMessage",
        "chat.update",
        "files.getUploadURLExternal",
        "files.completeUploadExternal",
    }
)
"""Without these nothing can be shown. The bot can do without any other."""


class Cause(StrEnum):
    """What whoever runs the bot has to put right."""

    TOKEN = "token"  # noqa: S105 - no secret
    SCOPE = "scope"
    ORGANIZATION = "organization"
    ACCESS = "access"


_CODES = {
    "invalid_auth": Cause.TOKEN,
    "not_authed": Cause.TOKEN,
    "account_inactive": Cause.TOKEN,
    "token_revoked": Cause.TOKEN,
    "token_expired": Cause.TOKEN,
    "user_removed_from_team": Cause.TOKEN,
    "invalid_token": Cause.TOKEN,
    "bad_token": Cause.TOKEN,
    "authorization_not_found": Cause.TOKEN,
    "org_login_required": Cause.ORGANIZATION,
    "two_factor_setup_required": Cause.ORGANIZATION,
    "accesslimited": Cause.ACCESS,
}
_FAMILIES_OF_VITAL_METHODS = {
    "token_": Cause.TOKEN,
    "app_": Cause.TOKEN,
    "team_": Cause.ORGANIZATION,
    "org_": Cause.ORGANIZATION,
    "enterprise_": Cause.ORGANIZATION,
}
"""Codes that begin so, such as `team_access_not_granted`: Slack adds to them."""
_CODES_OF_VITAL_METHODS = {
    "missing_scope": Cause.SCOPE,
    "not_allowed_token_type": Cause.SCOPE,
    "method_deprecated": Cause.ACCESS,
    "deprecated_endpoint": Cause.ACCESS,
    "unknown_method": Cause.ACCESS,
    "http_401": Cause.TOKEN,
    "http_407": Cause.ACCESS,
}
"""The app can do without other methods. `http_…` is a gateway's answer, without a word of Slack's;
a 403 can be about the words of one message."""

_DOUBTFUL = frozenset(
    {"access_denied", "ekm_access_denied", "no_permission", "user_is_restricted", "http_403"}
)
"""They can be about one channel or message, and about the app: `auth.test` tells."""

WHAT_TO_DO = {
    Cause.TOKEN: "install the app again, set its new SLACK_BOT_TOKEN and restart",
    Cause.SCOPE: f"add the scopes {', '.join(sorted(REQUIRED_SCOPES))} and install the app again",
    Cause.ORGANIZATION: "ask an admin of the workspace or its organisation to let the app in",
    Cause.ACCESS: "look at the app's status in Slack, and at proxies on the way there",
}


def cause_of(method: str, code: str) -> Cause | None:
    """What keeps the whole app out; None where the code is about this call alone."""
    if cause := _CODES.get(code):
        return cause
    if method not in VITAL_METHODS:
        return None
    families = _FAMILIES_OF_VITAL_METHODS.items()
    of_family = next((cause for prefix, cause in families if code.startswith(prefix)), None)
    return _CODES_OF_VITAL_METHODS.get(code) or of_family


def is_doubtful(method: str, code: str) -> bool:
    """Whether the refusal may be about the whole app, and `auth.test` has to tell."""
    return method in VITAL_METHODS and code in _DOUBTFUL


@dataclass(frozen=True)
class ShutOut:
    """Slack refuses the app: `method` with `code`, since `since` (seconds since the epoch).

    `half_open`: `auth.test` is good again. The method that was refused has yet to work before
    anything is paid for.
    """

    method: str
    code: str
    since: float
    half_open: bool = False

    @property
    def cause(self) -> Cause:
        return cause_of(self.method, self.code) or Cause.ACCESS

    def half_opened(self) -> ShutOut:
        return replace(self, half_open=True)

    def may_be_over(self, scopes: frozenset[str]) -> bool:
        """Whether a good `auth.test` that tells these scopes can be the end of it. Slack does not
        always tell them."""
        return self.cause is not Cause.SCOPE or not scopes or scopes >= REQUIRED_SCOPES

    def __str__(self) -> str:
        return f"Slack refuses the app ({self.method}: {self.code}): {WHAT_TO_DO[self.cause]}"


def owner_told(session: Session) -> Session:
    """The owner of the newest attempt was told of it. Nothing changes where there is no attempt, or
    where its owner was told before."""
    if not session.attempts or session.latest.told_of_shut_out:
        return session
    return with_attempt(session, replace(session.latest, told_of_shut_out=True))
