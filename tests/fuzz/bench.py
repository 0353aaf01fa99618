"""The web app on a port, what is typed at it, and what must hold after each request."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from multidict import CIMultiDict

from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ops.serving import HttpServer
from bot.service import access
from bot.telemetry.logs import LogFormat, set_up
from tests.fakes import OWNER, a_session
from tests.fuzz.payloads import TYPED
from tests.property.truth import check_step
from tests.scenario.payloads import SECRET, click, interaction
from tests.scenario.slack_app import SlackApp
from tests.scenario.test_http import signature
from tests.support.http import routes_for

Headers = tuple[tuple[str, str], ...]

ANSWER_WITHIN = 20.0
"""Seconds; a machine may be busy."""
_SERVING = ("RequestHandler", "TCPConnector", "Bench.")
_INTERNAL = re.compile(
    r"Traceback|\b[a-z_]*Error\b|\w+Exception\b|<class '|object at 0x|NoneType|site-packages|\.py\b"
)
"""What only the program itself could have said; people's own words have none of it here."""

SESSIONS = (
    a_session(Stage.USER_FEEDBACK, attempts=2),
    a_session(Stage.GENERATING, id=f"T1.{OWNER}.ab1", thread_ts="9.9"),
    a_session(Stage.FINAL, id=f"T1.{OWNER}.ab2"),
    a_session(Stage.INITIAL_INPUT, id=f"T1.{OWNER}.ab3"),
)


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


class Bench:
    """`run` does something on the loop that the app lives on."""

    def __init__(self, runner: asyncio.Runner, app: SlackApp, log: io.StringIO) -> None:
        self._runner = runner
        self.app = app
        self._log = log
        self.port = 0
        self._session: aiohttp.ClientSession | None = None

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    async def open(self) -> HttpServer:
        server = HttpServer(routes_for(self.app.bolt, SECRET), 0, "127.0.0.1")
        self.port = await server.start()
        self._session = aiohttp.ClientSession()
        return server

    async def close(self, server: HttpServer) -> None:
        assert self._session is not None
        await self._session.close()
        await server.stop()

    def reset(self) -> None:
        """The sessions as they were, and nothing said yet."""
        store = self.app.store
        store.sessions = {session.id: session for session in SESSIONS}
        store.defaults.clear()
        store.written.clear()
        self.app.calls.clear()
        self._log.seek(0)
        self._log.truncate()

    @property
    def log(self) -> str:
        return self._log.getvalue()

    def post(self, body: bytes, headers: Headers) -> Answer:
        """With all that it started at its end."""
        answer: Answer = self.run(self._post(body, headers))
        return answer

    def send(self, body: bytes, content_type: str) -> Answer:
        """Signed."""
        return self.post(body, (("Content-Type", content_type), *signature(body).items()))

    def check(self, answer: Answer) -> None:
        """Answered, in the program's own words, and nothing of what was typed is in the log."""
        assert answer.status < 500
        self.check_said(answer.text)

    def check_said(self, text: str) -> None:
        told = [text, *(str(call.args) for call in self.app.calls)]
        assert not [found for text in told if (found := _INTERNAL.search(text))]
        assert TYPED not in self.log
        assert "never retrieved" not in self.log
        assert SECRET not in self.log + "".join(told)

    def check_changes(self, *, by: object) -> None:
        """Each is lawful; and nobody has changed what is not theirs."""
        known = {session.id: session for session in SESSIONS}
        for session in self.app.store.written:
            before = known.get(session.id)
            if before is not None:
                check_step(before, session, None)
                assert by == OWNER
            known[session.id] = session
        if by != OWNER:
            mine = [
                session for session in self.app.store.sessions.values() if session.user == OWNER
            ]
            assert mine == list(SESSIONS)

    def check_unchanged(self) -> None:
        assert self.app.store.written == []
        assert list(self.app.store.sessions.values()) == list(SESSIONS)

    def check_alive(self) -> None:
        """The owner's own click still does what it should."""
        self.reset()
        answer = self.send(*_form(interaction(click("regenerate", f"{SESSIONS[0].id}#2"))))
        assert answer.status == 200
        assert self.session.stage is Stage.GENERATING
        assert len(self.session.attempts) == 3

    @property
    def session(self) -> Session:
        return self.app.store.sessions[SESSIONS[0].id]

    async def _post(self, body: bytes, headers: Headers) -> Answer:
        assert self._session is not None
        url = f"http://127.0.0.1:{self.port}/slack/events"
        async with (
            asyncio.timeout(ANSWER_WITHIN),
            self._session.post(
                url, data=io.BytesIO(body), headers=CIMultiDict(headers)
            ) as response,
        ):
            answer = Answer(response.status, await response.text(errors="replace"))
        await self.settled()
        return answer

    async def raw(self, sent: bytes, *, end: bool = True) -> bytes:
        """Over a connection of its own, which ends with the request unless `end` is false."""
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(sent)
            if end:
                writer.write_eof()
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        await self.settled()
        return answer

    async def settled(self) -> None:
        """Nothing is under way any more."""
        async with asyncio.timeout(20):
            while working := [task for task in asyncio.all_tasks() if not _is_serving(task)]:
                await asyncio.wait(working)


def _is_serving(task: asyncio.Task[Any]) -> bool:
    name = getattr(task.get_coro(), "__qualname__", "")
    return name.startswith(_SERVING) or task is asyncio.current_task()


def _form(form: dict[str, Any]) -> tuple[bytes, str]:
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


@contextmanager
def bench() -> Iterator[Bench]:
    root, log = logging.getLogger(), io.StringIO()
    kept = root.handlers, root.level, logging.getLogger("bot").level
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setattr(access, "RECORD_LAG", 0.0)
        app = SlackApp(*SESSIONS)
        app.record(patch)
        set_up("DEBUG", LogFormat.TEXT, stream=log)
        made = Bench(runner, app, log)
        server = made.run(made.open())
        try:
            yield made
        finally:
            made.run(made.close(server))
            root.handlers, root.level = kept[0], kept[1]
            logging.getLogger("bot").setLevel(kept[2])
