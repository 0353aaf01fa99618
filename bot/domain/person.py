"""Who somebody is: a user ID alone says so only within one organisation or workspace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """`org` is the organisation, or the workspace where there is no organisation. The people of the
    installation have the same `org` in all of its workspaces: whatever it is installed in."""

    org: str
    user: str

    def key_in(self, team: str) -> str:
        """What tells the person from all others in the keys of an installation. Of its own people
        it is the user ID."""
        return self.user if self.org == team else f"{self.org}-{self.user}"
