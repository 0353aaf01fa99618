"""The images that wait: no worker has begun them yet."""

from __future__ import annotations

from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage


def images_waiting(session: Session) -> int:
    """How many of the session's images wait."""
    if session.stage is not Stage.GENERATING:
        return 0
    return sum(not c.is_made and not c.run_id for c in session.latest.candidates)


class TooManyWaiting(Refusal):
    """As many of the owner's images wait as may. `sessions` are those with waiting images, the
    newest attempt first; none where somebody else asks, or where two requests came at once."""

    def __init__(self, at_most: int, sessions: tuple[Session, ...], owner: str) -> None:
        super().__init__(Reason.TOO_MANY_WAITING, owner)
        self.at_most = at_most
        self.sessions = sessions
