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
    """Who did something, as the payload tells it. `org` is the organisation or the workspace, empty
    where nothing tells it; where it is not `certain`, it may be another workspace of the same
    organisation or a stranger's."""

    user: str
    org: str
    certain: bool = True


class Claims:
    """What a payload names as a person's, most telling first. Where it contradicts itself, nothing
    is certain; that the person is of our organisation goes with each workspace that may be of
    it."""

    def __init__(self, told: Sequence[str], pairs: Iterable[Pair], identity: Identity) -> None:
        self._identity = identity
        self._told = [claim for claim in told if claim]
        known = [(team, org) for team, org in pairs if team and org]
        orgs = [next((org for team, org in known if team == claim), "") for claim in self._told]
        self._named = [org or claim for claim, org in zip(self._told, orgs, strict=True)]
        self._home = [identity.is_home(*each) for each in zip(self._told, orgs, strict=True)]

    @property
    def any(self) -> bool:
        return bool(self._told)

    @property
    def only_unknown(self) -> bool:
        """Whether each workspace may be one more of our organisation."""
        return self.any and not any(self._home) and not self._elsewhere

    def actor(self, user: str) -> Actor:
        by_org = self._told[:1] == [self._identity.enterprise_id] and not self._elsewhere
        if self.any and (all(self._home) or by_org):
            return Actor(user, self._identity.installation)
        others = [name for name, home in zip(self._named, self._home, strict=True) if not home]
        foreign = next(iter([*self._elsewhere, *others]), "")
        return Actor(user, foreign, certain=bool(self._elsewhere) and not any(self._home))

    @property
    def _elsewhere(self) -> list[str]:
        """What is surely not ours."""
        alone = not self._identity.enterprise_id
        named = zip(self._named, self._home, strict=True)
        return [name for name, home in named if not home and (alone or name.startswith("E"))]
