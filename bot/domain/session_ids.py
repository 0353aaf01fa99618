"""Session ids: `team.user.token`. `user` is the owner's key in the installation `team`
(`Person.key_in`); `token` is unique and says nothing of the person."""

from __future__ import annotations

from typing import NamedTuple


class SessionId(NamedTuple):
    """The parts of an id."""

    team: str
    user: str
    token: str

    @classmethod
    def parse(cls, text: str) -> SessionId:
        """Parts that are missing in `text` are empty."""
        team, _, rest = text.partition(".")
        user, _, token = rest.partition(".")
        return cls(team, user, token)

    @property
    def is_complete(self) -> bool:
        return all(self)

    @property
    def owner(self) -> str:
        """`team.user`, which names a person among those of all workspaces; empty for no id."""
        return f"{self.team}.{self.user}" if self.team else ""
