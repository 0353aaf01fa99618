"""Where and by whom something is asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """`seed` is unique to the request, so that a request delivered twice starts one session.
    `thread_ts` is set where the request was made inside a thread."""

    team: str
    user: str
    channel: str
    response_url: str
    seed: str
    thread_ts: str = ""

    def session_id(self) -> str:
        token = hashlib.sha256(self.seed.encode(errors="surrogatepass")).hexdigest()[:20]
        return f"{self.team}.{self.user}.{token}"
