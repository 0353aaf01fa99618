"""The page over HTTP: its files, the feed on a WebSocket, what people do, the images they see.

    GET  /                      the page; its styles and modules at /page/static/{version}/{name}
    GET  /page/feed?as=U        WebSocket: the whole state, then every change that U sees
    POST /page/do/{action}      say, slash, click, fill, submit, close, home, shortcut; answer
    GET  /page/files/{id}?as=U  an image in a message that U sees; nothing (204) once it is gone

`guard` keeps other sites out; `visibility` shows each person only what is theirs to see.
"""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.page.actions import Actions
from bot.sandbox.page.features import Features
from bot.sandbox.page.feed import Feed, Queue
from bot.sandbox.page.guard import guard, harden
from bot.sandbox.page.question import Question
from bot.sandbox.page.visibility import Visibility
from bot.sandbox.server import MOST_UPLOAD, SimulatedSlack
from bot.sandbox.webapi.methods import Args
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.files import sniff

FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_IMAGES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}


class Page:
    """A workspace and its page on one port. The page shows `facts`."""

    def __init__(self, slack: SimulatedSlack, features: Features, facts: dict[str, Any]) -> None:
        self.slack = slack
        self.feed = Feed(slack)
        self.facts = facts
        self.question: Question | None = None
        self._features = features
        self._actions = Actions(slack, features, lambda: self.question is not None)
        self._following: asyncio.Task[None] | None = None
        slack.delivery.subscribed = features.events

    async def start(self) -> None:
        """Serve page and workspace."""
        app = web.Application(client_max_size=MOST_UPLOAD, middlewares=[guard])
        app.on_response_prepare.append(harden)
        app.router.add_get("/", self._index)
        app.router.add_get("/page/feed", self._accept)
        app.router.add_post("/page/do/{action}", self._do)
        app.router.add_get("/page/files/{file}", self._file)
        app.router.add_get("/page/static/{version}/{name}", self._static)
        self._following = asyncio.create_task(self.feed.run())
        await self.slack.start(app)

    async def stop(self) -> None:
        await self._actions.stop()
        await self.slack.stop()
        if self._following is not None:
            await self._following

    async def ask(self, question: Question) -> str:
        """Show the question on every page until it is answered, there or elsewhere."""
        self.show(question)
        try:
            return await question.wait()
        finally:
            self.show(None)

    def show(self, question: Question | None, **facts: Any) -> None:
        """Tell every page the question, if any, and new facts."""
        self.question = question
        self.facts = {**self.facts, **facts}
        self.slack.workspace.changes.emit("question", **self._told())

    def _told(self) -> dict[str, Any]:
        asked = self.question.to_json() if self.question else None
        return {"question": asked, "facts": self.facts}

    @property
    def url(self) -> str:
        return f"{self.slack.workspace.base_url}/"

    async def _index(self, request: web.Request) -> web.Response:
        response = _read("index.html")
        versioned = f"/page/static/{_version()}/"
        response.text = (response.text or "").replace("/page/static/", versioned)
        return response

    async def _static(self, request: web.Request) -> web.Response:
        response = _read(request.match_info["name"])
        if request.match_info["version"] == _version():
            response.headers["Cache-Control"] = "max-age=31536000, immutable"
        return response

    async def _do(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return web.json_response({"ok": False, "error": "JSON only"}, status=415)
        try:
            body = await request.json()
            if request.match_info["action"] == "answer":
                return self._take_answer(Args(body).text("value"))
            ack = await self._actions.do(request.match_info["action"], Args(body))
        except (SlackError, KeyError, AssertionError, ValueError, TypeError) as error:
            words = error.error if isinstance(error, SlackError) else str(error)
            return web.json_response({"ok": False, "error": words}, status=409)
        ms = round(ack.seconds * 1000, 1)
        shown = {"ok": ack.ok and not ack.errors, "error": ack.error, "errors": ack.errors}
        return web.json_response({**shown, "ms": ms})

    def _take_answer(self, value: str) -> web.Response:
        if self.question is not None:
            self.question.answer(value)
        return web.json_response({"ok": True})

    async def _file(self, request: web.Request) -> web.Response:
        visibility, file_id = self._visibility(request), request.match_info["file"]
        data = visibility.file(file_id)
        kind = _IMAGES.get(sniff(data)) if data else None
        if kind is None:
            raise web.HTTPNoContent if visibility.is_gone(file_id) else web.HTTPNotFound
        tag = hashlib.sha256(data or b"").hexdigest()
        if any(known.value == tag for known in request.if_none_match or ()):
            return web.Response(status=304)
        response = web.Response(body=data, content_type=kind)
        response.etag = tag
        return response

    async def _accept(self, request: web.Request) -> web.WebSocketResponse:
        visibility = self._visibility(request)
        ws = web.WebSocketResponse(heartbeat=20)
        await ws.prepare(request)
        with self.feed.listening() as queue:
            await ws.send_json(self._everything(visibility))
            sending = asyncio.create_task(_send(ws, visibility, queue))
            async for _ in ws:
                pass
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return ws

    def _everything(self, visibility: Visibility) -> dict[str, Any]:
        bot = {"sockets": self.slack.sockets, "bot_seen": self.feed.bot_seen}
        wire = list(self.feed.wire)
        return {**visibility.state(self._features), **bot, **self._told(), "wire": wire}

    def _visibility(self, request: web.Request) -> Visibility:
        try:
            viewer = self.slack.user(request.query.get("as", ""))
        except KeyError:
            raise web.HTTPNotFound from None
        return Visibility(self.slack.workspace, viewer.id)


async def _send(ws: web.WebSocketResponse, visibility: Visibility, queue: Queue) -> None:
    while (item := await queue.get()) is not None:
        shown = visibility.change(item.change)
        if shown is not None:
            await ws.send_str(json.dumps(shown))
        if item.entry is not None:
            await ws.send_str(json.dumps({"type": "wire", "entry": item.entry}))
    await ws.close()


def _version() -> str:
    """A digest of all static files: a browser keeps those of one version for good."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in _TYPES:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _read(name: str) -> web.Response:
    """One file of the page, which has no folders."""
    path = FOLDER / Path(name).name
    kind = _TYPES.get(path.suffix)
    if kind is None or not path.is_file():
        raise web.HTTPNotFound
    return web.Response(body=path.read_bytes(), content_type=kind, charset="utf-8")
