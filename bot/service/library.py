"""A person's sessions in progress, approved images and default options."""

from __future__ import annotations

from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options, OptionTable
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import DefaultOptions, SessionLists, SessionSummary
from bot.views.home import HomePage

_LATELY = 5
"""How many of the sessions that changed last are read for the options used last. An approval may
have changed an old session."""


class UserLibrary:
    """Reads a person's sessions: one round trip for the list, one for the page that is shown.
    `owner` is the person's key in the installation `team`; `option_table` holds the options of
    the image model."""

    def __init__(
        self,
        sessions: SessionLists,
        defaults: DefaultOptions,
        option_table: OptionTable = OPTIONS,
    ) -> None:
        self._sessions = sessions
        self._defaults = defaults
        self._option_table = option_table

    async def working(self, team: str, owner: str, at_most: int) -> tuple[list[Session], int]:
        """The newest sessions in progress, and how many there are in all."""
        entries = await self._sessions.summaries_of(team, owner)
        ids = [entry.session_id for entry in entries if entry.in_progress]
        return await self._sessions.load_many(ids[:at_most]), len(ids)

    async def home_page(
        self, team: str, owner: str, *, size: tuple[int, int], pages: tuple[int, int] = (0, 0)
    ) -> HomePage:
        """One page of each list; `size` and `pages` are for the sessions in progress and for the
        approved images. A page past the end is the last one."""
        entries = await self._sessions.summaries_of(team, owner)
        working = [e.session_id for e in entries if e.in_progress]
        approved = [e.session_id for e in entries if e.stage is Stage.FINAL]
        at = (_page(len(working), size[0], pages[0]), _page(len(approved), size[1], pages[1]))
        shown = working[at[0] * size[0] :][: size[0]], approved[at[1] * size[1] :][: size[1]]
        lately = _lately(entries)
        wanted = list(dict.fromkeys([*shown[0], *shown[1], *lately]))
        loaded = {s.id: s for s in await self._sessions.load_many(wanted)}
        return HomePage(
            working=_of(loaded, shown[0]),
            in_progress=len(working),
            working_page=at[0],
            pictures=_of(loaded, shown[1]),
            approved=len(approved),
            pictures_page=at[1],
            defaults=await self._defaults.defaults_of(team, owner),
            last=_used_last(_of(loaded, lately)),
        )

    async def set_default(self, team: str, owner: str, name: str, value: str) -> None:
        """Keep one option as the user's default; an empty value clears it. Raises
        `OptionRefused`."""
        defaults = await self._defaults.defaults_of(team, owner)
        chosen = self._option_table[name].parse(value) if value else ""
        await self._defaults.keep_defaults(team, owner, defaults.replace(**{name: chosen}))

    async def keep_last(self, team: str, owner: str) -> None:
        """Make the options used last the defaults."""
        lately = _lately(await self._sessions.summaries_of(team, owner))
        if sessions := await self._sessions.load_many(lately):
            await self._defaults.keep_defaults(team, owner, _used_last(tuple(sessions)))


def _page(count: int, size: int, wanted: int) -> int:
    return max(0, min(wanted, (count - 1) // size))


def _of(loaded: dict[str, Session], ids: list[str]) -> tuple[Session, ...]:
    return tuple(loaded[session_id] for session_id in ids if session_id in loaded)


def _lately(entries: list[SessionSummary]) -> list[str]:
    """The ids of the sessions that changed last, without those that never had a prompt."""
    asked = [e.session_id for e in entries if e.in_progress or e.stage is Stage.FINAL]
    return asked[:_LATELY]


def _used_last(sessions: tuple[Session, ...]) -> Options:
    asked = [session for session in sessions if session.attempts]
    newest = max(asked, key=lambda s: s.latest.queued_at, default=None)
    return newest.options if newest else NO_OPTIONS
