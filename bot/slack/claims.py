"""Which organisation a person is of, by the organisations and workspaces that a payload names.

Of an organisation's people Slack often names the organisation (`E…`) where of others it names the
workspace (`T…`). An unknown workspace may be one more of our organisation, or a stranger's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bot.slack.identity import Identity

Pair = tuple[str, str]
"""A workspace, and the organisation that the payload says it is of."""


class Actor(NamedTuple):
    """Who acts, as the payload names them. `org` is their organisation or workspace, empty where
    nothing names it. Where it is not `certain`, it may be another workspace of our organisation, or
    a stranger's."""

    user: str
    org: str
    certain: bool = True


class TeamClaims:
    """`claims` are the organisations and workspaces that a payload names as the person's, the most
    telling first. Where they contradict each other, nothing is certain. Our organisation does not
    contradict a workspace that may belong to it."""

    def __init__(self, claims: Sequence[str], pairs: Iterable[Pair], identity: Identity) -> None:
        self._identity = identity
        self._claims = [claim for claim in claims if claim]
        known = [(team, org) for team, org in pairs if team and org]
        orgs = [next((org for team, org in known if team == claim), "") for claim in self._claims]
        self._named = [org or claim for claim, org in zip(self._claims, orgs, strict=True)]
        self._home = [identity.is_home(*each) for each in zip(self._claims, orgs, strict=True)]

    @property
    def any(self) -> bool:
        return bool(self._claims)

    @property
    def only_unknown(self) -> bool:
        """Whether each workspace may be one more of our organisation."""
        return self.any and not any(self._home) and not self._foreign

    def actor(self, user: str) -> Actor:
        by_org = self._claims[:1] == [self._identity.enterprise_id] and not self._foreign
        if self.any and (all(self._home) or by_org):
            return Actor(user, self._identity.installation)
        others = [name for name, home in zip(self._named, self._home, strict=True) if not home]
        foreign = next(iter([*self._foreign, *others]), "")
        return Actor(user, foreign, certain=bool(self._foreign) and not any(self._home))

    @property
    def _foreign(self) -> list[str]:
        """Organisations and workspaces that are not ours for certain."""
        alone = not self._identity.enterprise_id
        named = zip(self._named, self._home, strict=True)
        return [name for name, home in named if not home and (alone or name.startswith("E"))]
