"""Where and by whom something is asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bot.domain.person import Person


@dataclass(frozen=True)
class Place:
    """`team` is the installation. `seed` is unique to the request, so that a request delivered
    twice starts one session. `thread_ts` is set where the request was made inside a thread."""

    team: str
    person: Person
    channel: str
    response_url: str
    seed: str
    thread_ts: str = ""

    @property
    def user(self) -> str:
        return self.person.user

    @property
    def owner(self) -> str:
        """What tells the person's sessions and defaults from those of others."""
        return self.person.key_in(self.team)

    def session_id(self) -> str:
        token = hashlib.sha256(self.seed.encode(errors="surrogatepass")).hexdigest()[:20]
        return f"{self.team}.{self.owner}.{token}"
