"""In which manner a server is asked: without what it has refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

from openai import APIStatusError

from bot.adapters.openai.blame import Blame, Refused
from bot.adapters.openai.extras import DEPENDS_ON_CHOICE, Asked, Extra
from bot.adapters.openai.refusals import may_be_vague, names_parameter, refuses_request


@dataclass(frozen=True)
class Manner:
    """`without` is given up, and of that `for_now` only for the request at hand: nothing says for
    certain that another would be refused for it too."""

    without: frozenset[Extra] = frozenset()
    for_now: frozenset[Extra] = frozenset()

    def after(
        self, error: APIStatusError, asked: Asked, guesses: tuple[Extra, ...], *, chosen: bool
    ) -> Manner | None:
        """The manner to ask in next, without one more extra of those that were `asked`; None where
        the refusal is about something else. Of the `guesses`, one is given up where it does not
        say what it is about. `chosen`: a person chose options, which may be why.
        """
        refused = Refused(error)
        if not (refuses_request(error, refused.text) or names_parameter(error, refused, asked)):
            return None
        blame = refused.blames(asked)
        if blame is None and may_be_vague(error) and refused.vague:
            blame = next((Blame(one, certain=False) for one in guesses if one in asked), None)
        if blame is None:
            return None
        lasting = blame.certain and not (chosen and blame.extra in DEPENDS_ON_CHOICE)
        given_up = frozenset({blame.extra})
        for_now = self.for_now if lasting else self.for_now | given_up
        return replace(self, without=self.without | given_up, for_now=for_now)

    @property
    def learnt(self) -> frozenset[Extra]:
        """What the server will not be asked for any more."""
        return self.without - self.for_now
