"""Slack's refusals of the whole app, as opposed to one call, message or channel.

`bot.domain.slack_errors` holds the meaning of each code. A code that is not about the app, such as
`is_archived` or `restricted_action`, concerns one call: one person's channel must not stop
everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.session import Session, with_attempt
from bot.domain.slack_errors import APP, Meaning, meaning_of

REQUIRED_SCOPES = frozenset({"chat:write", "commands", "files:write"})
"""The scopes that the bot needs."""

VITAL_METHODS = frozenset(
    {
        "chat.postMessage",
        "chat.update",
        "files.getUploadURLExternal",
        "files.completeUploadExternal",
    }
)
"""The methods that show anything at all. The bot works without any other method."""

UNINSTALLED = frozenset({"app_uninstalled", "tokens_revoked"})
"""The events by which Slack says so."""


_WHATEVER_THE_METHOD = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "user_removed_from_team",
        "invalid_token",
        "bad_token",
        "authorization_not_found",
        "org_login_required",
        "two_factor_setup_required",
        "accesslimited",
        *UNINSTALLED,
    }
)
"""The other codes about the app count for vital methods: it can do without the rest."""

WHAT_TO_DO = {
    Meaning.TOKEN: "install the app again, set its new SLACK_BOT_TOKEN and restart",
    Meaning.SCOPE: f"add the scopes {', '.join(sorted(REQUIRED_SCOPES))} and install the app again",
    Meaning.ORGANIZATION: "ask an admin of the workspace or its organisation to let the app in",
    Meaning.ACCESS: "look at the app's status in Slack, and at proxies on the way there",
}


def cause_of(method: str, code: str) -> Meaning | None:
    """Why Slack refuses the whole app, one of `APP`; None where the code is about this call
    alone."""
    meaning = meaning_of(code)
    if meaning not in APP:
        return None
    return meaning if method in VITAL_METHODS or code in _WHATEVER_THE_METHOD else None


def is_doubtful(method: str, code: str) -> bool:
    """Whether the refusal may be about the whole app, and `auth.test` has to tell."""
    return method in VITAL_METHODS and meaning_of(code) is Meaning.DENIED


@dataclass(frozen=True)
class AppBlocked:
    """Slack refuses the app: `method` with `code`, since `since` (seconds since the epoch).

    `half_open`: `auth.test` succeeds again. Nothing is paid for until the refused method succeeds
    too.
    """

    method: str
    code: str
    since: float
    half_open: bool = False

    @property
    def cause(self) -> Meaning:
        return cause_of(self.method, self.code) or Meaning.ACCESS

    @property
    def uninstalled(self) -> bool:
        """An event said that the app was uninstalled, or its token revoked. Nothing is called until
        it is installed again, but for an `auth.test` now and then."""
        return self.code in UNINSTALLED

    def half_opened(self) -> AppBlocked:
        return replace(self, half_open=True)

    def may_be_over(self, scopes: frozenset[str]) -> bool:
        """Whether an `auth.test` that succeeds with these scopes may end the refusal. Slack does
        not always send the scopes."""
        return self.cause is not Meaning.SCOPE or not scopes or scopes >= REQUIRED_SCOPES

    def __str__(self) -> str:
        return f"Slack refuses the app ({self.method}: {self.code}): {WHAT_TO_DO[self.cause]}"


def may_tell_owner(session: Session) -> bool:
    """Whether there is an attempt whose owner was not told of it yet."""
    return bool(session.attempts) and not session.latest.owner_notified_of_block


def record_owner_notified(session: Session) -> Session:
    """Records that the owner of the newest attempt was told of the refusal. Nothing changes where
    there is no attempt, or where the owner was told before."""
    if not may_tell_owner(session):
        return session
    return with_attempt(session, replace(session.latest, owner_notified_of_block=True))
