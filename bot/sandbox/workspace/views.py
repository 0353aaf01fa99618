"""Modals and Home tabs: each user's stack of modals, and the state of the fields."""

import itertools
import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.forms import find_field, plain_value
from bot.sandbox.workspace.messages import block_texts, interactive_elements

STACK_LIMIT = 3
_CARRIED = ("title", "submit", "close", "blocks")


@dataclass
class View:
    """`state`: block_id -> action_id -> value object; `errors`: what stands under the fields;
    `before`: the blocks that were shown until the last change."""

    id: str
    user: str
    content: dict[str, Any]
    root_view_id: str
    previous_view_id: str | None = None
    hash: str = ""
    state: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    open: bool = True
    before: list[dict[str, Any]] = field(default_factory=list)

    @property
    def type(self) -> str:
        return str(self.content["type"])

    @property
    def blocks(self) -> list[dict[str, Any]]:
        return list(self.content["blocks"])

    @property
    def callback_id(self) -> str:
        return str(self.content.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        return str(self.content.get("private_metadata", ""))

    @property
    def external_id(self) -> str:
        return str(self.content.get("external_id", ""))

    @property
    def title(self) -> str:
        return str((self.content.get("title") or {}).get("text", ""))

    @property
    def shown_text(self) -> str:
        return "\n".join([self.title, *block_texts(self.blocks)])

    def buttons(self) -> list[str]:
        elements = [element for _, element in interactive_elements(self.blocks)]
        return [e["text"]["text"] for e in elements if e["type"] == "button"]

    def value(self, name: str) -> Any:
        """What a field holds now; `name` is its block_id, action_id or label."""
        block, element = find_field(self.blocks, name)
        return plain_value(self.state[block["block_id"]][element["action_id"]])

    def payload(self, team: str, app: str, bot: str) -> dict[str, Any]:
        """The view object that Slack sends."""
        return {
            "id": self.id,
            "team_id": team,
            "type": self.type,
            **{key: self.content.get(key) for key in _CARRIED},
            "private_metadata": self.private_metadata,
            "callback_id": self.callback_id,
            "external_id": self.external_id,
            "state": {"values": self.state},
            "hash": self.hash,
            "clear_on_close": bool(self.content.get("clear_on_close")),
            "notify_on_close": bool(self.content.get("notify_on_close")),
            "previous_view_id": self.previous_view_id,
            "root_view_id": self.root_view_id,
            "app_id": app,
            "app_installed_team_id": team,
            "bot_id": bot,
        }

    def to_json(self) -> dict[str, Any]:
        known = {"id": self.id, "user": self.user, "errors": self.errors, "open": self.open}
        return {**self.content, **known, "state": self.state, "hash": self.hash}


class Views:
    """The stack of modals of each user, top last, and each user's Home tab."""

    def __init__(self) -> None:
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self._numbers = itertools.count(1)

    def open(self, user: str, content: dict[str, Any]) -> View:
        """A new modal in place of any that the user has open."""
        self.clear(user)
        return self._put(user, content)

    def push(self, user: str, content: dict[str, Any]) -> View:
        if len(self.stacks.get(user, [])) >= STACK_LIMIT:
            raise SlackError("push_limit_reached")
        return self._put(user, content)

    def update(self, view: View, content: dict[str, Any], state: dict[str, Any]) -> None:
        """Replace what a view shows; `state` holds what its fields start with."""
        view.before = view.blocks
        view.content, view.state, view.errors = content, state, {}
        view.hash = _new_hash()

    def publish(self, user: str, content: dict[str, Any]) -> View:
        """A user's Home tab keeps its id, whatever is published."""
        shown = self.homes.get(user)
        view_id = shown.id if shown else f"V0HOME{next(self._numbers):05d}"
        before = shown.blocks if shown else []
        self.homes[user] = View(view_id, user, content, view_id, hash=_new_hash(), before=before)
        return self.homes[user]

    def top(self, user: str) -> View | None:
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def close(self, view: View) -> None:
        """Take one view off its user's stack."""
        view.open = False
        self.stacks[view.user] = [v for v in self.stacks.get(view.user, []) if v is not view]

    def clear(self, user: str) -> None:
        for view in self.stacks.pop(user, []):
            view.open = False

    def find(self, view_id: str | None, external_id: str | None) -> View | None:
        stacked = itertools.chain.from_iterable(self.stacks.values())
        for view in itertools.chain(stacked, self.homes.values()):
            if view.id == view_id or (external_id and view.external_id == external_id):
                return view
        return None

    def _put(self, user: str, content: dict[str, Any]) -> View:
        stack = self.stacks.setdefault(user, [])
        view_id = f"V0VIEW{next(self._numbers):05d}"
        root = stack[0].id if stack else view_id
        below = stack[-1].id if stack else None
        stack.append(View(view_id, user, content, root, below, _new_hash()))
        return stack[-1]


def _new_hash() -> str:
    return secrets.token_hex(8)
