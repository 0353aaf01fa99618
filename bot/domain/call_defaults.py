"""What a call asks for where nobody chose."""

from __future__ import annotations

from typing import NamedTuple

from bot.domain.attempt import Attempt, Candidate
from bot.domain.options import Options
from bot.domain.session import Session
from bot.domain.sizes import largest_like, size_like


class Defaults(NamedTuple):
    """What a call asks for where nobody chose: the models, and the options of the operator.
    `host_model` is empty where no model calls the other."""

    model: str
    host_model: str
    size: str
    quality: str
    partial_images: int = 0

    def size_and_quality(self, options: Options) -> tuple[str, str]:
        """Those of the options, or these."""
        return options.size or self.size, str(options.get("quality") or self.quality)

    def of_edit(self, base: Candidate | None) -> Defaults:
        """These for an edit, whose size follows the shape of its image: of `base`, or where that is
        None the largest that any picture brings."""
        if base is None or not base.has_image:
            return self._replace(size=largest_like(self.size))
        return self._replace(size=size_like(base.width, base.height, self.size))


def base_of(session: Session, attempt: Attempt) -> Candidate | None:
    """The image of ours that the attempt edits."""
    if attempt.base is None or not attempt.base.attempt:
        return None
    return session.attempt(attempt.base.attempt).candidate(attempt.base.candidate)
