"""What errors mean: one table of the codes and the words that servers have for each failure.

A code counts before all words, and words before the status. A failure of the server is passing,
whatever its code begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from bot.domain.failures import FailureKind

_REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 410, 422, 451})
"""Statuses beside which the words of most rows count; None stands for an error inside a stream."""
_ABOUT_REQUEST = frozenset({400, 403, 422, None})
_NAME = r"(?:[ :/]+[\"'`(\[]?[\w./:@-]+[\"'`)\]]?)?,?"
_GONE = (
    r"(?:no longer|deprecated|retired|decommissioned|shut ?down|sunset|discontinued|removed"
    r"|not (?:be )?(?:found|exist|available|supported|served|deployed|valid|recogni[sz]ed"
    r"|accessible)"
    r"|does(?: not|n't) exist)"
)


class ErrorPattern(NamedTuple):
    """One row. `codes` and `words` are regular expressions: for a code in snake case, and for the
    text in lower case without the prompt. The words count beside the `statuses`."""

    kind: FailureKind
    codes: str = ""
    words: str = ""
    statuses: frozenset[int | None] = _REFUSALS | {None}


ERROR_PATTERNS = (
    ErrorPattern(
        FailureKind.COUNTRY_REFUSED,
        codes=r"country|territory|(?:unsupported|user|restricted)_(?:region|location)|geo_?block",
        words=r"country, region|unsupported (?:country|region)|geo.?(?:block|restrict|fenc)"
        r"|(?:country|region|territory|location)\b.{0,40}\bnot (?:supported|available|allowed)"
        r"|(?:in|from) your (?:country|region|territory|location)\b"
        r"|jurisdiction|(?:ban|block)\w*.{0,40}\b(?:country|region)\b|export control|sanctioned",
    ),
    ErrorPattern(
        FailureKind.SOURCE_GONE,
        codes=r"^previous_response_not_found$",
    ),
    ErrorPattern(
        FailureKind.PROVIDER_DOWN,
        codes=r"server_(?:error|busy|overload)|internal|upstream|backend|gateway|overload"
        r"|(?:service|temporarily|currently|engine|worker)_unavailable|^unavailable$"
        r"|model_?(?:is_)?(?:not_ready|not_loaded|loading|busy)|(?:service|check)_(?:error|fail\w*)"
        r"|time_?out|timed_out|^api_error$|^unknown_error$|engine_|capacity|generation_(?:failed|error)"
        r"|processing_(?:failed|error)|connection|^server_|out_of_memory",
        words=r"internal (?:server )?error|server (?:had an )?error|upstream|bad gateway|overloaded"
        r"|(?:temporarily|service|currently) unavailable|retry your request|again (?:later|shortly)"
        r"|timed out|out of memory|connection (?:reset|refused|error|closed)|no healthy"
        r"|worker (?:died|crash)|(?:at|over|insufficient) capacity|cuda error|unexpected condition"
        r"|(?:server|model|service|engine) is (?:too |currently )?(?:busy|loading)",
        statuses=_ABOUT_REQUEST,
    ),
    ErrorPattern(
        FailureKind.RATE_LIMITED,
        codes=r"rate_?limit|slow_down|too_many_requests|throttl|resource_exhausted"
        r"|(?:requests?|tokens?|images?|concurren\w*|rpm|tpm|minute)_limit",
        words=r"rate.?limit|too many requests|throttl",
        statuses=frozenset({None}),
    ),
    ErrorPattern(
        FailureKind.QUOTA,
        codes=r"quota|billing|credit|spend|budget|payment|insufficient_(?:balance|funds)"
        r"|arrear|overdue"
        r"|(?<!size)(?<!length)(?<!file)(?<!context)(?<!payload)_limit_exceeded$",
        words=r"billing|(?:hard|spend\w*|credit|budget).limit"
        r"|insufficient.(?:quota|credit|fund|balance)|out of credit|(?:no|not enough) credit"
        r"|exceeded your current quota|budget.{0,20}exceeded|exceeded.{0,20}budget"
        r"|payment (?:is )?required|credit balance|top up your|key limit exceeded"
        r"|arrear|overdue|(?:monthly|usage|spend\w*) cap\b",
        statuses=frozenset({400, 403, 422, 429, None}),
    ),
    ErrorPattern(
        FailureKind.BAD_KEY,
        codes=r"(?:invalid|incorrect|expired|missing|revoked|wrong|no)_(?:api_|access_)?(?:key|token)"
        r"|authentication|unauthenticated|^unauthorized$|credentials|account_deactivated"
        r"|mismatched_(?:organi[sz]ation|project)",
        words=r"(?:invalid|incorrect|wrong|expired|missing|no|unknown) "
        r"(?:api|access|subscription).?key|(?:api|access|subscription).?key.{0,30}"
        r"(?:(?:not|n't).{0,6}valid|invalid|incorrect|expired|missing|revoked|disabled|not found)"
        r"|authenticationerror",
    ),
    ErrorPattern(
        FailureKind.UNVERIFIED,
        codes=r"unverified|not_verified|must_be_verified|verification_required",
        words=r"\b(?:organi[sz]ation|account|project|identity)\b.{0,60}\bverif"
        r"|verify (?:your|the) (?:organi[sz]ation|identity|account)",
    ),
    ErrorPattern(
        FailureKind.MODEL_UNAVAILABLE,
        codes=r"model_?(?:is_|has_been_|was_)?(?:not|no_longer|does_not|deprecat|retired|decommission"
        r"|shut|sunset|removed|discontinued|access|eol|end_of|legacy)|deployment_not_found"
        r"|(?:deprecated|invalid|unknown|unsupported|retired|no_such)_model(?!_?output)",
        words=rf"\b(?:models?|deployment|engine)(?: version)?(?: with)?(?: name| id)?{_NAME} "
        rf"?(?:is |was |has been |are |could |do |for this resource )?{_GONE}"
        r"|(?:no such|unknown|invalid|unsupported|unrecogni[sz]ed|find|pull) (?:the )?model\b"
        r"|not a (?:valid|known|supported) model|not work with the specified model"
        r"|model.?not.?found|access to (?:the |this )?model"
        r"|no (?:available )?(?:channel|endpoint|provider)s? .{0,60}\b(?:model|found for)"
        r"|not (?:an image|a image|an image generation) model|\bmodel is legacy|end.of.life"
        r"|model (?:name |id |identifier )is invalid|update your model"
        r"|[\"'`][a-z][\w./:]*-[\w./:-]*[\"'`] (?:is |was |has been )"
        r"(?:no longer|deprecated|retired|decommissioned|shut ?down|sunset|discontinued)",
        statuses=_REFUSALS | {None, 500},
    ),
    ErrorPattern(
        FailureKind.WRONG_ROUTE,
        codes=r"(?:unknown|invalid|incorrect)_(?:url|route|path|endpoint|hostname)|route_not_found"
        r"|endpoint_not|not_implemented|method_not_allowed|data_residency|no_route",
        words=r"invalid url \(|no route|cannot post /|page not found|method not allowed"
        r"|(?:no such|unknown|unexpected) (?:request )?(?:url|route|endpoint|path)"
        r"|(?:endpoint|route|url)\b.{0,40}(?:not (?:found|supported|available|exist)|n't exist)"
        r"|missing authentication token"  # AWS's gateway
        r"|not (?:available|supported) (?:on|by|at) this (?:endpoint|server|url)"
        r"|request was sent to https",
    ),
    ErrorPattern(
        FailureKind.BLOCKED,
        codes=r"^waf|firewall|blocked_by_(?!content|moderation|safety)",
        words=r"cloudflare|akamai|incapsula|imperva|\bwaf\b|firewall|attention required|captcha"
        r"|\bray id\b|\berror (?:code: )?10\d\d\b|rbac: access denied|zscaler|netskope|squid"
        r"|\begress\b|(?:allow|block|deny|white|black)-?list|network policy"
        r"|security (?:policy|service|solution|rule)|(?:web )?filter(?:ed|ing) by"
        r"|\brequest (?:was |has been |is )?(?:blocked|rejected|denied)(?! by (?:content|our|the "
        r"(?:content|safety)|moderation))|proxy|^forbidden\W*$",
        statuses=frozenset({401, 403, 405, 407, 451, 511}),
    ),
    ErrorPattern(
        FailureKind.NO_ACCESS,
        codes=r"permission|access_(?:denied|terminated|suspended)|account_(?:suspended|banned)"
        r"|(?:missing|insufficient)_scope|not_authorized"
        r"|(?:unauthorized|invalid)_ip|ip_not",
        words=r"insufficient permission|missing scopes?|\bip\b.{0,40}not (?:authorized|allowed)"
        r"|member of an organi|not (?:authorized|permitted|allowed) to (?:use|access|call|perform)"
        r"|does not have (?:access|permission)|permission.?denied"
        r"|\b(?:access|account) (?:is|was|has been) (?:terminated|suspended|banned|restricted)",
        statuses=frozenset({400, 401, 403, None}),
    ),
    ErrorPattern(
        FailureKind.MODERATION,
        codes=r"moderation|content_(?:policy|filter|management)|^invalid_prompt$|responsible_?ai"
        r"|safety(?!_identifier)|nsfw|prohibited_content|sensitive|inappropriate|data_inspection"
        r"|^(?!.*(?:retention|network|access|security|organi[sz]ation|data|region|ip)_polic).*polic",
        words=r"safety.(?:system|violation|filter|polic)|content.?(?:management.?)?(?:policy|filter)"
        r"|usage polic|responsible.?ai|(?:flagged|blocked|rejected|refused)\b.{0,30}\bmoderation"
        r"|moderation.{0,30}\b(?:flagged|blocked|rejected|refused|failed|violat)"
        r"|\b(?:prompt|input|content|image|text)s? (?:was |has been |is |were )?(?:flagged|blocked)"
        r"|\brequest (?:was |has been |is )?flagged|inappropriate"
        r"|(?:banned|forbidden|prohibited) (?:word|term)|not safe for work"
        r"|violat\w+.{0,40}\b(?:polic|guideline|terms)|prohibited.content|sexual|nsfw",
        statuses=_ABOUT_REQUEST,
    ),
)
_COMPILED = [(row, re.compile(row.codes), re.compile(row.words)) for row in ERROR_PATTERNS]

_BLAMES_REQUEST = re.compile(
    r"^(?:invalid|unsupported|unknown|missing|unrecogni[sz]ed|malformed|bad)_(?:request\w*|params?"
    r"|parameters?|arguments?|values?|types?|inputs?|prompt|size|quality|fields?|json|tools?\w*"
    r"|enum\w*|mask|format|option|required\w*|base64\w*|file\w*"
    r"|image(?:_(?:format|url|mode|file|size|type|data|media_type))?)$"
    r"|^unsupported_\w*(?:type|format)$|^image_(?:too_|file_|parse_)|^empty_|_(?:above|below)_m(?:ax|in)"
    r"|_too_(?:long|large|small|many|short)$|^failed_to_download_image$|context_length"
)
"""The codes of a stream that stand for HTTP's 400; others are failures of the server."""

BY_STATUS = {
    401: FailureKind.BAD_KEY,
    402: FailureKind.QUOTA,
    403: FailureKind.NO_ACCESS,
    404: FailureKind.WRONG_ROUTE,
    405: FailureKind.WRONG_ROUTE,
    407: FailureKind.BLOCKED,
    408: FailureKind.TIMED_OUT,
    409: FailureKind.PROVIDER_DOWN,
    410: FailureKind.WRONG_ROUTE,
    421: FailureKind.WRONG_ROUTE,
    423: FailureKind.PROVIDER_DOWN,
    424: FailureKind.PROVIDER_DOWN,
    425: FailureKind.PROVIDER_DOWN,
    426: FailureKind.WRONG_ROUTE,
    429: FailureKind.RATE_LIMITED,
    451: FailureKind.COUNTRY_REFUSED,
    499: FailureKind.PROVIDER_DOWN,
    501: FailureKind.WRONG_ROUTE,
    511: FailureKind.BLOCKED,
}
OF_A_PAGE = {
    400: FailureKind.WRONG_ROUTE,
    401: FailureKind.BLOCKED,
    403: FailureKind.BLOCKED,
    406: FailureKind.BLOCKED,
    418: FailureKind.BLOCKED,
    451: FailureKind.BLOCKED,
}
"""What a web page means where the API would answer JSON: something else answered."""
_ONLY_MONEY = re.compile(r"billing|hard.limit|insufficient.(?:credit|fund|balance)|out of credit")
"""With status 429 other words for a quota may mean a limit per minute."""
_CHECKED = {FailureKind.MODERATION, FailureKind.QUOTA}
_FAILED = re.compile(r"(?<!violation)_(?:error|fail\w*|unavailable|down)$")
_FOR_NOW = re.compile(r"right now|currently|temporar|try again|retry|\bbusy\b|\bloading\b")
_PAGES_TELL = {FailureKind.COUNTRY_REFUSED, FailureKind.BLOCKED}


def kind_of_code(code: str, status: int | None = None) -> FailureKind | None:
    """The failure that a code in snake case stands for, where it stands for one. Beside a 5xx, that
    of a check that failed by itself is a failure of the server."""
    kind = next((row.kind for row, codes, _ in _COMPILED if row.codes and codes.search(code)), None)
    if kind in _CHECKED and status is not None and status >= 500 and _FAILED.search(code):
        return FailureKind.PROVIDER_DOWN
    return kind


def kind_in_stream(codes: Iterable[str]) -> FailureKind:
    """The failure where neither the codes of an error inside a stream nor its words are known."""
    blames = any(_BLAMES_REQUEST.search(code) for code in codes)
    return FailureKind.BAD_REQUEST if blames else FailureKind.PROVIDER_DOWN


def kind_by_words(text: str, status: int | None, *, page: bool = False) -> FailureKind | None:
    """The failure that the text means beside this status. A `page` is for people, and tells little
    that can be relied on."""
    if status == 429 and not _ONLY_MONEY.search(text):
        return None
    if status is not None and status >= 500 and _FOR_NOW.search(text):
        return None
    for row, _, words in _COMPILED:
        counts = row.words and status in row.statuses and (not page or row.kind in _PAGES_TELL)
        if counts and words.search(text):
            return row.kind
    return None


def kind_of_status(status: int, *, page: bool = False) -> FailureKind:
    if page and status in OF_A_PAGE:
        return OF_A_PAGE[status]
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status >= 500:
        return FailureKind.PROVIDER_DOWN
    return FailureKind.BAD_REQUEST if status >= 400 else FailureKind.WRONG_ROUTE
