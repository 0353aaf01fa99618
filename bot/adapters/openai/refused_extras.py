"""Which extras a server refuses of a model: remembered for a limited time, because servers are
updated, and shared with the other processes."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from enum import StrEnum

from bot.adapters.openai.extras import REFUSAL_PATTERNS, OptionalParameter
from bot.domain.errors import StoreUnavailable
from bot.ports import RefusedSettings

log = logging.getLogger(__name__)

RESPONSES = "responses"


class Call(StrEnum):
    """The two calls of the Images API. Servers may know an option of one and not of the other."""

    GENERATE = "generate"
    EDIT = "edit"


REMEMBERED_FOR = 6 * 3600.0
"""Seconds after which a server is asked again for what it refused."""
LOOK_EVERY = 60.0
"""Seconds between two looks at what other processes have learnt."""


def scope_of(base_url: str, call: str, *models: str) -> str:
    """The scope of a refusal: a server, one of its calls, and the models."""
    text = "\n".join([base_url.rstrip("/"), call, *models])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def scopes(responses: bool, base_url: str, model: str, host_model: str) -> list[str]:
    """The scopes of all calls that a backend makes."""
    if responses:
        return [scope_of(base_url, RESPONSES, host_model, model)]
    return [scope_of(base_url, call, model) for call in Call]


def described(extra: OptionalParameter) -> str:
    """The extra and what is asked for instead, such as `quality (the server's own)`."""
    refusal_pattern = REFUSAL_PATTERNS[extra]
    return f"{' and '.join(refusal_pattern.parameters)} ({refusal_pattern.instead})"


def refused_in_words(names: Iterable[str]) -> str:
    """Stored names, each with what is asked for instead."""
    return ", ".join(
        sorted(described(OptionalParameter[n]) for n in names if n in OptionalParameter.__members__)
    )


class RefusedExtras:
    """The extras that are refused within one scope. Without `shared`, or while that is away, this
    process remembers alone."""

    def __init__(
        self,
        scope: str,
        shared: RefusedSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scope = scope
        self._shared = shared
        self._clock = clock
        self._until: dict[OptionalParameter, float] = {}
        self._by_others: frozenset[OptionalParameter] = frozenset()
        self._look_at = 0.0

    @property
    def known(self) -> frozenset[OptionalParameter]:
        now = self._clock()
        return self._by_others | {extra for extra, until in self._until.items() if now < until}

    async def load(self) -> frozenset[OptionalParameter]:
        """The refused extras that this process and the others know by now."""
        now = self._clock()
        if self._shared is not None and now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            try:
                names = await self._shared.load(self._scope)
                self._by_others = frozenset(
                    OptionalParameter[n] for n in names if n in OptionalParameter.__members__
                )
            except StoreUnavailable as error:
                log.debug("what servers refuse was not read: %s", error)
        return self.known

    async def add(self, extras: Iterable[OptionalParameter]) -> None:
        """Remember these, and log those that no process knew."""
        new = set(extras) - self.known
        self._until |= dict.fromkeys(new, self._clock() + REMEMBERED_FOR)
        if new and self._shared is not None:
            try:
                names = [extra.name for extra in new]
                stored = await self._shared.add(self._scope, names, REMEMBERED_FOR)
                new = {OptionalParameter[name] for name in stored}
            except StoreUnavailable as error:
                log.debug("what servers refuse was not stored: %s", error)
        for extra in new:
            hours = REMEMBERED_FOR / 3600
            log.warning("the server refuses %s: done without for %g h", described(extra), hours)
