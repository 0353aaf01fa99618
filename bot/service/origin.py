"""Where and by whom something is asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bot.domain.policy import Person


@dataclass(frozen=True)
class RequestOrigin:
    """`team` is the installation. `idempotency_key` is unique to the request: one that is
    delivered twice starts one session. `thread_ts` is set where the request was made inside a
    thread."""

    team: str
    person: Person
    channel: str
    response_url: str
    idempotency_key: str
    thread_ts: str = ""

    @property
    def user(self) -> str:
        return self.person.user

    @property
    def owner(self) -> str:
        """The person's key in the installation: names their sessions and defaults."""
        return self.person.key_in(self.team)

    def session_id(self) -> str:
        key = self.idempotency_key.encode(errors="surrogatepass")
        return f"{self.team}.{self.owner}.{hashlib.sha256(key).hexdigest()[:20]}"
