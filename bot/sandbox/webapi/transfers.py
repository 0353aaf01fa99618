"""Requests of the bot beside the Web API: uploads, downloads, response URLs."""

import json
import time
from typing import Any

from aiohttp import web

from bot.sandbox.webapi.files import receive_bytes
from bot.sandbox.webapi.methods import Args, read_args
from bot.sandbox.webapi.middleware import ApiCall, Middleware
from bot.sandbox.webapi.responses import use_response_url
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.files import MIMETYPES, sniff
from bot.sandbox.workspace.workspace import Workspace

_RESPONSE_STATUS = {"expired_url": 404, "used_url": 404}
_SIGN_IN = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body></body></html>"


class Transfers:
    """The log and faults name these requests `upload`, `download` and `response_url`."""

    def __init__(self, workspace: Workspace, middleware: Middleware) -> None:
        self.workspace = workspace
        self.middleware = middleware

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/files/{file}/{name}", self._download)
        app.router.add_get("/files/{file}/download/{name}", self._download)
        app.router.add_get("/signin", self._sign_in)
        app.router.add_post("/response/{id}", self._response_url)

    async def _upload(self, request: web.Request) -> web.Response:
        file_id = request.match_info["file"]
        data = await _uploaded_bytes(request)
        call = ApiCall("upload", {"file": file_id, "length": len(data)}, None, time.time())

        def respond(call: ApiCall) -> web.Response:
            status, text = receive_bytes(self.workspace, file_id, data)
            call.response = {"ok": status == 200, "text": text}
            return web.Response(status=status, text=text)

        return await self.middleware.answer(request, call, respond)

    async def _download(self, request: web.Request) -> web.Response:
        """Redirect to the sign-in page without the token, the scope or access to the file."""
        file_id = request.match_info["file"].split("-")[-1]
        call = ApiCall("download", {"file": file_id}, None, time.time())

        def respond(call: ApiCall) -> web.Response:
            file = self.workspace.bot_sees(file_id) if self._may_read(request) else None
            call.response = {"ok": file is not None}
            if file is None:
                where = f"{self.workspace.base_url}/signin?redir={request.path}"
                return web.Response(status=302, headers={"Location": where})
            data = file.data or b""
            kind = MIMETYPES.get(sniff(data), "application/octet-stream")
            return web.Response(body=data, content_type=kind)

        return await self.middleware.answer(request, call, respond)

    def _may_read(self, request: web.Request) -> bool:
        if self.middleware.app_blocked and self.middleware.app_blocked.concerns("download"):
            return False
        scopes = self.workspace.scopes
        bearer = f"Bearer {self.workspace.app.bot_token}"
        allowed = scopes is None or "files:read" in scopes
        return allowed and request.headers.get("Authorization") == bearer

    async def _sign_in(self, request: web.Request) -> web.Response:
        return web.Response(text=_SIGN_IN, content_type="text/html")

    async def _response_url(self, request: web.Request) -> web.Response:
        args = await _json_args(request)
        call = ApiCall("response_url", dict(args), None, time.time())

        def respond(call: ApiCall) -> web.Response:
            try:
                use_response_url(self.workspace, request.match_info["id"], args)
            except SlackError as error:
                call.response = error.answer()
                status = _RESPONSE_STATUS.get(error.error, 400)
                if status == 400:
                    self.workspace.violate(f"response_url: {error.error} {error.extra}")
                return web.json_response(call.response, status=status)
            call.response = {"ok": True}
            return web.Response(text="ok")

        return await self.middleware.answer(request, call, respond)


async def _uploaded_bytes(request: web.Request) -> bytes:
    """The body as it is, or the first file of a form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""


async def _json_args(request: web.Request) -> Args:
    """A response URL takes JSON, whatever its content type says."""
    if request.content_type.startswith("application/x-www-form"):
        return await read_args(request)
    try:
        body: Any = json.loads(await request.text())
    except ValueError:
        body = {}
    return Args(body if isinstance(body, dict) else {})
