"""Which failure a server means that has no code for it, by its words."""

from __future__ import annotations

import re

from bot.domain.errors import FailureKind

_KINDS = {
    FailureKind.MODERATION: re.compile(
        r"safety.(?:system|violation|filter|polic)|content.?(?:management.?)?(?:policy|filter)"
        r"|usage polic|responsible.?ai|(?:flagged|blocked|rejected|refused)\b.{0,30}\bmoderation"
        r"|moderation.{0,30}\b(?:flagged|blocked|rejected|refused|failed|violat)"
        r"|\b(?:prompt|input|content|image|text)s? (?:was |has been |is |were )?"
        r"(?:flagged|blocked)"
        r"|\brequest (?:was |has been |is )?flagged|inappropriate"
        r"|violat\w+.{0,40}\b(?:polic|guideline|terms)"
        r"|prohibited.content|sexual|nsfw"
    ),
    FailureKind.QUOTA: re.compile(
        r"billing|(?:hard|spend\w*|credit|budget).limit|insufficient.(?:quota|credit|fund|balance)"
        r"|out of credit|(?:no|not enough) credit|exceeded your current quota|budget.{0,20}exceeded"
        r"|exceeded.{0,20}budget|payment (?:is )?required"
    ),
    FailureKind.BAD_KEY: re.compile(
        r"(?:invalid|incorrect|wrong|expired|missing|no|unknown) (?:api|access|subscription).?key"
        r"|(?:api|access|subscription).?key.{0,30}"
        r"(?:(?:not|n't).{0,6}valid|invalid|incorrect|expired|missing|revoked|disabled|not found)"
    ),
}
_UNTOLD = {
    400: frozenset(_KINDS),
    403: frozenset(_KINDS),
    404: frozenset({FailureKind.BAD_KEY}),
    422: frozenset(_KINDS),
    429: frozenset({FailureKind.QUOTA}),
}
"""What a status may mean besides what it says."""
_ONLY_MONEY = re.compile(r"billing|hard.limit|insufficient.(?:credit|fund|balance)|out of credit")
"""A quota may be one of the minute."""


def kind_by_words(text: str, status: int) -> FailureKind | None:
    """`text` is in lower case, without the prompt."""
    may_be = _UNTOLD.get(status, frozenset())
    found = next(
        (kind for kind, words in _KINDS.items() if kind in may_be and words.search(text)), None
    )
    if status == 429 and not _ONLY_MONEY.search(text):
        return None
    return found
