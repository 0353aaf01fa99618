"""What was asked of the fake: one `Recorded` for each request."""

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from .problems import invalid


@dataclass(frozen=True)
class Upload:
    """A file of a form."""

    field: str
    filename: str
    content_type: str
    data: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)


@dataclass
class Recorded:
    """A request, and what came of it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: dict[str, Any] = field(default_factory=dict)  # JSON, or the fields of a form, typed
    uploads: list[Upload] = field(default_factory=list)
    at: float = field(default_factory=time.time)
    outcome: str | None = None  # the name of the outcome that it met
    response_id: str | None = None
    status: int | None = None  # None: not answered (yet)
    sent: int = 0  # events of a stream
    disconnected: bool = False  # the client left before the answer was complete
    finished: bool = False

    @property
    def tool(self) -> dict[str, Any]:
        """The image tool that is asked for, if any."""
        tools: list[dict[str, Any]] = self.body.get("tools") or [{}]
        return tools[0]

    @property
    def edits(self) -> bool:
        """Whether it asks for an image to be changed."""
        return self.path.endswith("/edits") or self.tool.get("action") == "edit"

    @property
    def text(self) -> str:
        """All text that the model gets to read as its prompt."""
        given = self.body.get("input", self.body.get("prompt", ""))
        return given if isinstance(given, str) else "\n".join(texts(given))

    @property
    def images(self) -> list[bytes]:
        """The images sent along: files of a form, data URLs of an input."""
        return [upload.data for upload in self.uploads] + [
            base64.b64decode(part["image_url"].partition(",")[2])
            for part in parts(self.body.get("input"))
            if str(part.get("image_url", "")).startswith("data:")
        ]


def parts(given: Any) -> list[dict[str, Any]]:
    """The content parts of an input that is a list of messages."""
    items = given if isinstance(given, list) else []
    contents = [item.get("content") for item in items]
    return [part for content in contents if isinstance(content, list) for part in content]


def texts(given: Any) -> list[str]:
    """The texts among them."""
    return [part["text"] for part in parts(given) if "text" in part]


RECORD: web.RequestKey[Recorded] = web.RequestKey("record", Recorded)


def start_record(request: web.Request) -> Recorded:
    """The record of a request whose body is not read yet."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Recorded(request.method, request.path, dict(request.query), headers)


async def read_json(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body, recorded."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise invalid("We could not parse the JSON body of your request.", None, None) from None
    if not isinstance(body, dict):
        raise invalid("Expected a JSON object.", None, None)
    request[RECORD].body = body
    return body


async def read_form(request: web.Request) -> tuple[dict[str, str], list[Upload]]:
    """Fields and files of a multipart body."""
    if not request.content_type.startswith("multipart/"):
        raise invalid("Expected multipart/form-data.", None, "unsupported_content_type")
    fields, uploads = {}, []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise invalid("Nested multipart.", None)
        name, data = part.name or "", bytes(await part.read(decode=True))
        if part.filename is None:
            fields[name] = data.decode()
        else:
            kind = part.headers.get("Content-Type", "")
            uploads.append(Upload(name, part.filename, kind, data))
    return fields, uploads
