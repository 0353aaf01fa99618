"""In which manner a server is asked: without what it has refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from openai import APIStatusError

from bot.adapters.openai.extras import DEPENDS_ON_CHOICE, Asked, Extra
from bot.adapters.openai.refusal import Blame, Refused
from bot.adapters.openai.refusals import (
    may_be_vague,
    may_refuse_request,
    only_if_named,
    tells_of_failure,
)

_TAKEN_BACK = {Extra.NO_PARTIALS: frozenset({Extra.PARTIALS})}
"""What is asked for again: who refused partial images left out takes one."""


@dataclass(frozen=True)
class Manner:
    """`without` is given up, and of that `for_now` only for the request at hand: nothing says for
    certain that another would be refused for it too."""

    without: frozenset[Extra] = frozenset()
    for_now: frozenset[Extra] = frozenset()

    def after(
        self,
        error: APIStatusError,
        asked: Asked,
        guesses: tuple[Extra, ...],
        *,
        chosen: bool,
        own: Iterable[str] = (),
    ) -> Manner | None:
        """The manner to ask in next, without one more extra of those that were `asked`; None where
        the refusal is about something else. Of the `guesses`, one is given up where it does not
        say what it is about. `chosen`: a person chose options, which may be why. `own`: what people
        wrote, which may be repeated in it.
        """
        blame = _blame(error, Refused(error, own), asked, guesses)
        if blame is None:
            return None
        lasting = blame.certain and not (chosen and blame.extra in DEPENDS_ON_CHOICE)
        given_up = frozenset({blame.extra})
        for_now = self.for_now if lasting else self.for_now | given_up
        without = self.without - _TAKEN_BACK.get(blame.extra, frozenset()) | given_up
        return replace(self, without=without, for_now=for_now)

    @property
    def learnt(self) -> frozenset[Extra]:
        """What the server will not be asked for any more."""
        return self.without - self.for_now


def _blame(
    error: APIStatusError, refused: Refused, asked: Asked, guesses: tuple[Extra, ...]
) -> Blame | None:
    """A parameter that is named as one counts before all words."""
    if not may_refuse_request(error):
        return None
    blame = refused.blames(asked)
    if only_if_named(error):
        return blame if blame and blame.certain and refused.breaks_at_something else None
    if blame and blame.certain:
        return blame
    if tells_of_failure(error, refused):
        return None
    if blame is None and may_be_vague(error) and refused.vague:
        return next((Blame(one, certain=False) for one in guesses if one in asked), None)
    return blame
