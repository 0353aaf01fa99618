"""A person types slash commands, presses buttons, chooses from menus, uses shortcuts."""

from typing import Any

from bot.sandbox.delivery import payloads
from bot.sandbox.delivery.delivery import SECONDS_TO_ACK, Ack, Delivery
from bot.sandbox.webapi.responses import show_ack_body
from bot.sandbox.workspace.forms import filled, initial_state
from bot.sandbox.workspace.members import Channel, User
from bot.sandbox.workspace.messages import Message, interactive_elements
from bot.sandbox.workspace.views import View
from bot.sandbox.workspace.workspace import Workspace

Element = dict[str, Any]
UserRef = User | str
ChannelRef = Channel | str


class Interactions:
    """Users and channels are given as objects, ids or names."""

    workspace: Workspace
    delivery: Delivery

    async def slash(
        self,
        user: UserRef,
        channel: ChannelRef,
        command: str,
        text: str = "",
        timeout: float = SECONDS_TO_ACK,
    ) -> Ack:
        """Type a slash command, which Slack allows in channels but not in threads."""
        who, where = self.workspace.user(user), self.workspace.channel(channel)
        payload = payloads.slash_command(self.workspace, who, where, command, text)
        ack = await self.delivery.act("slash_commands", payload, timeout)
        if ack.ok and ack.body:
            place = self.workspace.tickets.response_urls[payload["response_url"].split("/")[-1]]
            show_ack_body(self.workspace, place, ack.body)
        self._show_error(ack, who, where.id, command)
        return ack

    async def click(
        self,
        user: UserRef,
        target: Message | View,
        label: str | None = None,
        *,
        action_id: str | None = None,
        block_id: str | None = None,
        value: Any = None,
        timeout: float = SECONDS_TO_ACK,
        stale: bool = False,
    ) -> Ack:
        """Press a button of a message or view, found by its words or its action_id.

        `block_id` says in which block, where several have the same one. `value` picks a menu's
        option, or several options of checkboxes, and forges a button's value. `stale` presses a
        button that an edit has removed, as somebody with a lagging client can.
        """
        who = self.workspace.user(user)
        seen = [b for b in _seen_blocks(target, stale) if block_id in (None, b["block_id"])]
        block, element = _pressed(seen, label, action_id)
        action = _action(block, element, value if element["type"] == "button" else value or label)
        chosen = _chosen(element, action)
        if isinstance(target, View):
            if chosen:
                target.state.setdefault(block["block_id"], {})[element["action_id"]] = chosen
            payload = payloads.view_click(self.workspace, who, target, action)
            return await self.delivery.act("interactive", payload, timeout)
        if target.ephemeral_to not in (None, who.id):
            raise AssertionError(f"{who.name} doesn't see that message")
        state = initial_state(target.blocks)
        if chosen:
            state.setdefault(block["block_id"], {})[element["action_id"]] = chosen
        payload = payloads.message_click(self.workspace, who, target, action, state)
        ack = await self.delivery.act("interactive", payload, timeout)
        self._show_error(ack, who, target.channel, "The button")
        return ack

    async def select(
        self,
        user: UserRef,
        target: Message | View,
        action_id: str,
        value: Any,
        *,
        block_id: str | None = None,
        timeout: float = SECONDS_TO_ACK,
    ) -> Ack:
        """Choose from a menu of a message or view: an option by its value or its words."""
        return await self.click(
            user, target, action_id=action_id, block_id=block_id, value=value, timeout=timeout
        )

    async def shortcut(
        self,
        user: UserRef,
        message: Message | None,
        callback_id: str,
        timeout: float = SECONDS_TO_ACK,
    ) -> Ack:
        """Use a message shortcut, which takes no membership of the bot; with no message, a global
        one."""
        who = self.workspace.user(user)
        if message is None:
            payload = payloads.global_shortcut(self.workspace, who, callback_id)
        else:
            _check_menu(self.workspace, who, message)
            payload = payloads.message_shortcut(self.workspace, who, message, callback_id)
        ack = await self.delivery.act("interactive", payload, timeout)
        if message is not None:
            self._show_error(ack, who, message.channel, "The shortcut")
        return ack

    def _show_error(self, ack: Ack, who: User, channel: str, what: str) -> None:
        """Slackbot tells a person that their action failed."""
        if ack.error:
            self.workspace.tell(who.id, channel, f'{what} failed with the error "{ack.error}"')


def _check_menu(workspace: Workspace, who: User, message: Message) -> None:
    """Only those who see a message have its menu, and ephemeral ones have none."""
    if message.ephemeral_to or who.id not in workspace.channel(message.channel).members:
        raise AssertionError(f"{who.name} has no menu on that message")


def _seen_blocks(target: Message | View, stale: bool) -> list[dict[str, Any]]:
    if not stale:
        return target.blocks
    if isinstance(target, View):
        return [*target.blocks, *target.before]
    return [block for state in reversed(target.history) for block in state.blocks]


def _pressed(
    blocks: list[dict[str, Any]], label: str | None, action_id: str | None
) -> tuple[dict[str, Any], Element]:
    """The element with this action_id, or whose words are or contain the label."""
    shown = [(b, e) for b, e in interactive_elements(blocks) if b["type"] != "input"]
    if action_id is not None:
        found = [(b, e) for b, e in shown if e["action_id"] == action_id]
    else:
        wanted = (label or "").casefold()
        found = [(b, e) for b, e in shown if wanted in (w.casefold() for w in _words(e))]
        found += [(b, e) for b, e in shown if any(wanted in w.casefold() for w in _words(e))]
    if not found:
        there = [f"{_words(e)} ({e['action_id']})" for _, e in shown]
        raise AssertionError(f"no button {action_id or label!r} among {there}")
    return found[0]


def _words(element: Element) -> list[str]:
    own = [element[key]["text"] for key in ("text", "placeholder") if key in element]
    return own + [option["text"]["text"] for option in element.get("options", [])]


def _action(block: dict[str, Any], element: Element, value: Any) -> dict[str, Any]:
    if element["type"] == "button":
        return payloads.action(block, element, value)
    if element["type"] == "overflow":
        chosen = filled({**element, "type": "static_select"}, value)
    else:
        chosen = filled(element, value)
    return {**payloads.action(block, element, None), **chosen, "type": element["type"]}


def _chosen(element: Element, action: dict[str, Any]) -> dict[str, Any] | None:
    """What a choice adds to the state of its view or message; buttons and overflow menus have
    none."""
    if element["type"] in ("button", "overflow"):
        return None
    return {key: action[key] for key in action if key == "type" or key.startswith("selected")}
