"""Who may direct a session: decide its stage by a click or a form. Judged on the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """The owner always may; so may `others` (user IDs), or everybody where `anyone` is set."""

    anyone: bool = False
    others: frozenset[str] = frozenset()

    def allows(self, user: str, owner: str) -> bool:
        return self.anyone or user == owner or user in self.others

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Read `owner`, `anyone`, or a comma-separated list of user IDs besides the owner."""
        words = {word.strip() for word in text.split(",") if word.strip()}
        return cls(anyone="anyone" in words, others=frozenset(words - {"anyone", "owner"}))
