"""New sessions: from a prompt, a form, a picture, or an approved session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.domain.attempt import Source
from bot.domain.option_table import OPTIONS
from bot.domain.options import Options, OptionTable
from bot.domain.prompt import clean_change, clean_prompt, parse_flags
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.transitions import refusal, why_not
from bot.ports import DefaultOptions
from bot.service.access import AccessControl, RequestOrigin
from bot.service.gateway import AttemptGateway


class NewSessions:
    """Begins sessions. Their first attempts begin in the gateway."""

    def __init__(
        self,
        defaults: DefaultOptions,
        access: AccessControl,
        gateway: AttemptGateway,
        now: Callable[[], float],
        option_table: OptionTable = OPTIONS,
    ) -> None:
        self._defaults = defaults
        self._access = access
        self._gateway = gateway
        self._now = now
        self._option_table = option_table

    async def defaults(self, team: str, owner: str) -> Options:
        """A person's own default options, without those that the image model does not have."""
        return self._option_table.offered(await self._defaults.defaults_of(team, owner))

    async def start(
        self,
        origin: RequestOrigin,
        text: str,
        source: Source | None = None,
        options: Options | None = None,
        *,
        may_wait: bool = False,
    ) -> Session:
        """Begin a session from a typed text. `options` are the selects of a form, which has them
        all; without a form, the person's defaults fill in. With `may_wait`, a session whose text
        has no prompt is stored and waits for one."""
        said = parse_flags(text, self._option_table)
        waits = may_wait and not said.prompt.strip()
        clean = clean_prompt if source is None else clean_change
        prompt = "" if waits else clean(said.prompt)
        if options is None:
            chosen = said.options.over(await self.defaults(origin.team, origin.owner))
        else:
            chosen = said.options.agreeing_with(options)
        session = self._new(origin, chosen, source)
        if waits:
            return await self._gateway.store_new(session)
        return await self._gateway.create(session, origin.person, prompt)

    async def start_reduced(
        self, origin: RequestOrigin, prompt: str, options: Options, source: Source | None
    ) -> Session:
        """Begin what was changed of a session that a limit refused: nothing is typed, so nothing is
        parsed."""
        session = self._new(origin, options, source)
        return await self._gateway.create(session, origin.person, clean_prompt(prompt))

    async def restart(self, origin: RequestOrigin, session_id: str) -> tuple[Session, Session]:
        """The approved session, and a new one of the person's own, which waits for its form: with
        the approved image's options, and from the same picture where it began with one. Anybody may
        start over, any number of times: the approved session stays as it is. Raises `Refusal` where
        it was not approved."""
        old = await self._approved(origin.team, session_id)
        options = old.attempt(old.final_result).options
        there = replace(origin, channel=old.channel, place=old.place)
        new = self._new(there, options, old.source, restart_of=old.id)
        return old, await self._gateway.store_new(new)

    async def approved_image(
        self, team: str, owner: str, session_id: str
    ) -> tuple[Session, Source, Options]:
        """An approved image, from which anybody may start a session, and the person's defaults.
        Raises `Refusal` where the session has none any more."""
        session = await self._approved(team, session_id)
        approved = session.attempt(session.final_result).candidate(session.final_candidate)
        source = Source(session.final_file_id or approved.file_id, approved.mime_type)
        return session, source, await self.defaults(team, owner)

    async def _approved(self, team: str, session_id: str) -> Session:
        session = await self._access.load_in(team, session_id)
        if session.stage is not Stage.FINAL:
            raise refusal(session, why_not(session))
        return session

    def _new(
        self,
        origin: RequestOrigin,
        options: Options,
        source: Source | None = None,
        restart_of: str = "",
    ) -> Session:
        now = self._now()
        return Session(
            id=origin.session_id(),
            team=origin.team,
            user=origin.person.user,
            owner_org=origin.person.org,
            channel=origin.channel,
            place=origin.place,
            options=options,
            source=source,
            restart_of=restart_of,
            thread_ts=origin.thread_ts,
            asked_ts="" if origin.thread_ts else origin.message_ts,
            response_url=origin.response_url,
            created_at=now,
            updated_at=now,
        )
