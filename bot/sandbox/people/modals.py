"""A person fills in, submits and closes modals."""

from typing import Any

from bot.sandbox.delivery import payloads
from bot.sandbox.delivery.delivery import SECONDS_TO_ACK, Ack, Delivery
from bot.sandbox.webapi.views import checked_view, kept_state, place, show
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.forms import client_refusals, filled, find_field
from bot.sandbox.workspace.members import User
from bot.sandbox.workspace.views import View
from bot.sandbox.workspace.workspace import Workspace


class Modals:
    """Without `view`, the modal is the one on top."""

    workspace: Workspace
    delivery: Delivery

    def open_view(self, user: User | str) -> View | None:
        """The modal that the user sees."""
        return self.workspace.views.top(self.workspace.user(user).id)

    def home(self, user: User | str) -> View | None:
        """What the user's Home tab shows."""
        return self.workspace.views.homes.get(self.workspace.user(user).id)

    def fill(self, user: User | str, values: dict[str, Any], view: View | None = None) -> View:
        """Put values into fields, named by block_id, action_id or label, without submitting."""
        modal = self._modal(user, view)
        for name, value in values.items():
            block, element = find_field(modal.blocks, name)
            modal.state[block["block_id"]][element["action_id"]] = filled(element, value)
        self.workspace.changes.emit("view", user=modal.user, view=modal.to_json())
        return modal

    async def submit(
        self,
        user: User | str,
        values: dict[str, Any] | None = None,
        view: View | None = None,
        timeout: float = SECONDS_TO_ACK,
    ) -> Ack:
        """Fill in and submit. An Ack with the error "client_refused" was never sent to the bot."""
        modal = self.fill(user, values or {}, view)
        modal.errors = client_refusals(modal.blocks, modal.state)
        if modal.errors:
            self.workspace.changes.emit("view", user=modal.user, view=modal.to_json())
            return Ack(ok=False, error="client_refused", errors=dict(modal.errors), attempts=0)
        who = self.workspace.user(user)
        payload = payloads.view_submission(self.workspace, who, modal)
        ack = await self.delivery.act("interactive", payload, timeout)
        if ack.ok:
            self._apply_answer(modal, ack)
        else:
            modal.errors = {"": "We had some trouble connecting. Try again?"}
        self.workspace.changes.emit("view", user=who.id, view=modal.to_json())
        return ack

    async def close_view(
        self, user: User | str, view: View | None = None, timeout: float = SECONDS_TO_ACK
    ) -> Ack:
        """Close the modal; the bot hears of it only when the view asks for that."""
        modal = self._modal(user, view)
        cleared = bool(modal.content.get("clear_on_close"))
        if cleared:
            self.workspace.views.clear(modal.user)
        else:
            self.workspace.views.close(modal)
        self.workspace.changes.emit("view_closed", user=modal.user, view=modal.id)
        if not modal.content.get("notify_on_close"):
            return Ack(ok=True, attempts=0)
        who = self.workspace.user(user)
        payload = payloads.view_closed(self.workspace, who, modal, cleared=cleared)
        return await self.delivery.act("interactive", payload, timeout)

    def _modal(self, user: User | str, view: View | None) -> View:
        modal = view or self.open_view(user)
        if modal is None or not modal.open:
            raise AssertionError(f"{self.workspace.user(user).name} sees no open modal")
        return modal

    def _apply_answer(self, modal: View, ack: Ack) -> None:
        """Apply the `response_action` of an ack. A bad one is a violation."""
        body = ack.body if isinstance(ack.body, dict) else {}
        try:
            self._apply_action(modal, body, ack)
        except SlackError as error:
            problems = error.extra.get("errors", [])
            self.workspace.violate(f"answer to a view_submission: {error.error} {problems}")

    def _apply_action(self, modal: View, body: dict[str, Any], ack: Ack) -> None:
        views = self.workspace.views
        match body.get("response_action"):
            case None:
                views.close(modal)
            case "clear":
                views.clear(modal.user)
            case "errors":
                ack.errors = modal.errors = self._known_errors(modal, body.get("errors") or {})
            case "update":
                content = checked_view(self.workspace, body.get("view"))
                views.update(modal, content, kept_state(modal, content))
            case "push":
                content = checked_view(self.workspace, body.get("view"))
                show(self.workspace, place(self.workspace, modal.user, content, on_top=True))
            case other:
                raise SlackError(f"unknown response_action {other!r}")

    def _known_errors(self, modal: View, errors: dict[str, str]) -> dict[str, str]:
        """Errors can stand under input blocks only."""
        inputs = {block["block_id"] for block in modal.blocks if block["type"] == "input"}
        if not errors or set(errors) - inputs:
            raise SlackError(f"errors for {sorted(errors)}, but the inputs are {sorted(inputs)}")
        return dict(errors)
