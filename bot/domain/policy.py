"""Who may start and direct sessions. Judged on the server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.directors import ANYONE, OWNER, entries_of, wrong_directors
from bot.domain.person import Person
from bot.domain.session import Session


class WhoMayStart(StrEnum):
    """Who may use the bot at all: start a session, and decide about one."""

    TEAM = "team"
    FULL_MEMBERS = "full_members"
    ANYONE = "anyone"


@dataclass(frozen=True)
class Policy:
    """Who may direct a session, of those who may use the bot: decide its stage by a click, a form
    or words. The owner always may; so may `others` (user IDs of the installation's own people), or
    everybody where `anyone` is set. `team` is the installation: sessions that were kept before
    their owner's organisation was are its people's."""

    anyone: bool = False
    others: frozenset[str] = frozenset()
    team: str = ""

    def allows(self, person: Person, session: Session) -> bool:
        team = self.team or session.team
        owner = Person(session.owner_org or team, session.user)
        named = person.org == team and person.user in self.others
        return self.anyone or person == owner or named

    @classmethod
    def parse(cls, text: str, team: str = "") -> Policy:
        """Read `owner`, `anyone`, or user IDs with commas between. Raises `ValueError`, whose text
        holds the right spelling."""
        if wrong := wrong_directors(text):
            raise ValueError(wrong)
        given = set(entries_of(text))
        others = frozenset(given - {OWNER, ANYONE})
        return cls(anyone=ANYONE in given, others=others, team=team)
