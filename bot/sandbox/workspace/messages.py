"""Messages as Slack stores them, and as a viewer sees them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.workspace.files import Files, dimensions
from bot.sandbox.workspace.markup import pings_in_blocks, pings_in_text

Block = dict[str, Any]
SLACKBOT = "USLACKBOT"


@dataclass(frozen=True)
class Snapshot:
    """One state that a message was in."""

    text: str
    blocks: list[Block]
    at: float


@dataclass
class Message:
    """`edits` holds the state after each edit; `original` the one before them all.

    `blocks` are as Slack answers them, with the fields that it adds; `ephemeral_to` names the only
    user who sees the message, if any; `broken` the files that viewers see as broken images.
    `attachments` are the messages that it forwards.
    """

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Block] = field(default_factory=list)
    thread_ts: str | None = None
    reply_broadcast: bool = False
    deleted: bool = False
    edits: list[Snapshot] = field(default_factory=list)
    ephemeral_to: str | None = None
    metadata: dict[str, Any] | None = None
    bot_id: str | None = None
    files: list[str] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    names_linked: bool = False
    joined: bool = False
    broken: set[str] = field(default_factory=set)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    original: Snapshot = field(init=False)
    _files: Files | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.original = Snapshot(self.text, self.blocks, float(self.ts))

    @property
    def subtype(self) -> str | None:
        if self.joined:
            return "channel_join"
        return "thread_broadcast" if self.reply_broadcast and self.is_reply else None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def history(self) -> list[Snapshot]:
        """Every state that the message was in, oldest first."""
        return [self.original, *self.edits]

    @property
    def shown_text(self) -> str:
        """The words that a viewer reads: those of the blocks, or the text if there are none."""
        return "\n".join(block_texts(self.blocks)) if self.blocks else self.text

    def elements(self) -> Iterator[tuple[Block, dict[str, Any]]]:
        """Every interactive element with its block."""
        return interactive_elements(self.blocks)

    def buttons(self) -> list[str]:
        return [e["text"]["text"] for _, e in self.elements() if e["type"] == "button"]

    def image_ids(self) -> list[str]:
        return slack_file_ids(self.blocks)

    def holds(self) -> set[str]:
        """The ids of the files that it shows, unless it has been deleted."""
        return set() if self.deleted else {*self.image_ids(), *self.files}

    def ever_held(self) -> set[str]:
        """The ids of the files that it shows or has shown."""
        return {*self.files, *(f for state in self.history for f in slack_file_ids(state.blocks))}

    def shown_images(self) -> list[bytes | None]:
        """What a viewer sees of each image: its bytes, or None for a broken one."""
        return [self._shown(file_id) for file_id in self.image_ids() + self.files]

    def _shown(self, file_id: str) -> bytes | None:
        if self._files is None or file_id in self.broken or not self._files.showable(file_id):
            return None
        file = self._files.get(file_id)
        return file.data if file else None

    def _described(self, file_id: str) -> dict[str, Any]:
        return self._files.in_message(file_id) if self._files else {"id": file_id}

    def pings(self) -> list[str]:
        """All the mentions, channel pings and links that Slack would make of this message."""
        return pings_in_text(self.text, self.names_linked) + pings_in_blocks(self.blocks)

    def payload(self) -> dict[str, Any]:
        """The message object that Slack sends; keys without a value are left out."""
        optional = {
            "subtype": self.subtype,
            "blocks": self.blocks,
            "thread_ts": self.thread_ts,
            "bot_id": self.bot_id,
            "metadata": self.metadata,
            "attachments": self.attachments,
            "files": [self._described(file_id) for file_id in self.files],
            "reactions": [{"name": name, "users": [user]} for name, user in self.reactions],
        }
        found: dict[str, Any] = {
            "type": "message",
            "user": self.user,
            "text": self.text,
            "ts": self.ts,
        }
        found |= {key: value for key, value in optional.items() if value}
        if self.files:
            found |= {"upload": False, "display_as_bot": False}
        if self.edits:
            found["edited"] = {"user": self.user, "ts": f"{self.edits[-1].at:.6f}"}
        return found

    def to_json(self) -> dict[str, Any]:
        """The message with what only the simulator knows, for a page or a printout."""
        return self.payload() | {
            "files": [{"id": file_id} for file_id in self.files],
            "channel": self.channel,
            "deleted": self.deleted,
            "edits": len(self.edits),
            "ephemeral_to": self.ephemeral_to,
            "broken": sorted(self.broken),
        }


def interactive_elements(blocks: list[Block]) -> Iterator[tuple[Block, dict[str, Any]]]:
    for block in blocks:
        if block["type"] in ("actions", "context_actions"):
            yield from ((block, element) for element in block["elements"])
        elif block["type"] == "section" and "action_id" in block.get("accessory", {}):
            yield block, block["accessory"]
        elif block["type"] == "input":
            yield block, block["element"]


def slack_file_ids(node: Any) -> list[str]:
    """The ids of all the `slack_file`s in blocks, in order."""
    if isinstance(node, list):
        return [file_id for value in node for file_id in slack_file_ids(value)]
    if not isinstance(node, dict):
        return []
    if node.get("type") == "image" and isinstance(node.get("slack_file"), dict):
        file = node["slack_file"]
        return [file.get("id") or file_id_in_url(file.get("url", ""))]
    return [file_id for value in node.values() for file_id in slack_file_ids(value)]


def file_id_in_url(url: str) -> str:
    """The file's id in its `url_private`: .../files/TEAM-FILE/name."""
    parts = url.split("/files/")[-1].split("/")[0].split("-")
    return parts[1] if len(parts) > 1 else ""


def block_texts(node: Any) -> list[str]:
    """All the visible texts inside blocks, in order, an image's alt text included."""
    if isinstance(node, list):
        return [text for value in node for text in block_texts(value)]
    if not isinstance(node, dict):
        return []
    own = [node[key] for key in ("text", "alt_text") if isinstance(node.get(key), str)]
    return own + [text for value in node.values() for text in block_texts(value)]


def as_stored(blocks: list[Block], files: Files, next_id: "Iterator[int]") -> list[Block]:
    """The blocks with all that Slack adds to them, and would refuse if it were sent back."""
    return [_stored_block(block, files, next_id) for block in blocks]


def _stored_block(block: Block, files: Files, next_id: "Iterator[int]") -> Block:
    stored: Block = _with_text_defaults(block)
    stored.setdefault("block_id", f"b{next(next_id):04X}")
    for holder in _element_holders(stored):
        holder.setdefault("action_id", f"a{next(next_id):04X}")
    if stored["type"] == "image":
        stored |= _image_extras(stored, files)
    return stored


def _element_holders(block: Block) -> list[dict[str, Any]]:
    if block["type"] == "actions":
        return list(block["elements"])
    if block["type"] == "input":
        return [block["element"]]
    accessory = block.get("accessory")
    return [accessory] if accessory and accessory["type"] != "image" else []


def _image_extras(block: Block, files: Files) -> dict[str, Any]:
    ids = slack_file_ids(block)
    file = files.get(ids[0]) if ids else None
    width, height = dimensions(file.data or b"") if file else (0, 0)
    return {
        "fallback": block.get("alt_text", ""),
        "image_width": width,
        "image_height": height,
        "image_bytes": file.length if file else 0,
        "is_animated": False,
    }


def _with_text_defaults(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_text_defaults(value) for value in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _with_text_defaults(value) for key, value in node.items()}
    if copy.get("type") == "plain_text":
        copy.setdefault("emoji", True)
    elif copy.get("type") == "mrkdwn":
        copy.setdefault("verbatim", False)
    return copy
