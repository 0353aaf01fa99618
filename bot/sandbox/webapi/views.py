"""`views.*`: opening, pushing, updating modals; publishing Home tabs."""

from typing import Any

from bot.sandbox.webapi.block_kit import view_problems
from bot.sandbox.webapi.chat import file_problems
from bot.sandbox.webapi.methods import Args, method
from bot.sandbox.workspace.errors import SlackError, invalid
from bot.sandbox.workspace.forms import initial_state
from bot.sandbox.workspace.messages import as_stored
from bot.sandbox.workspace.views import View
from bot.sandbox.workspace.workspace import Workspace

_MOST_BYTES = 250_000


def checked_view(
    workspace: Workspace, view: Any, kinds: tuple[str, ...] = ("modal",)
) -> dict[str, Any]:
    """A view's content as Slack keeps it, when it is all right."""
    problems = view_problems(view, kinds=kinds)
    if problems := problems or file_problems(workspace, view["blocks"], "/view/blocks"):
        raise invalid("invalid_arguments", problems)
    if len(str(view)) > _MOST_BYTES:
        raise SlackError("view_too_large")
    return {**view, "blocks": as_stored(view["blocks"], workspace.files, workspace.ids)}


def kept_state(view: View, content: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """The state of a view that gets this content: fields with the same ids keep what was typed."""
    state = initial_state(content["blocks"])
    for block_id, actions in state.items():
        for action_id, fresh in actions.items():
            typed = view.state.get(block_id, {}).get(action_id)
            if typed and typed["type"] == fresh["type"]:
                actions[action_id] = typed
    return state


def show(workspace: Workspace, view: View) -> dict[str, Any]:
    """Tell everybody about a view, and answer it."""
    workspace.changes.emit("view", user=view.user, view=view.to_json())
    app = workspace.app
    return {"view": view.payload(app.team_id, app.app_id, app.bot_id)}


def place(workspace: Workspace, user: str, content: dict[str, Any], *, on_top: bool) -> View:
    put = workspace.views.push if on_top else workspace.views.open
    view = put(user, content)
    view.state = initial_state(content["blocks"])
    return view


def _open(workspace: Workspace, args: Args, *, on_top: bool) -> dict[str, Any]:
    trigger = workspace.tickets.check_trigger(args.text("trigger_id"))
    content = checked_view(workspace, args.structure("view"))
    external_id = content.get("external_id")
    if external_id and workspace.views.find(None, external_id):
        raise SlackError("duplicate_external_id")
    if on_top and (trigger.view_id is None or not workspace.views.find(trigger.view_id, None)):
        raise SlackError("invalid_trigger_id")
    view = place(workspace, trigger.user, content, on_top=on_top or trigger.view_id is not None)
    trigger.used = True
    return show(workspace, view)


@method("views.open")
def open_view(workspace: Workspace, args: Args) -> dict[str, Any]:
    return _open(workspace, args, on_top=False)


@method("views.push")
def push(workspace: Workspace, args: Args) -> dict[str, Any]:
    return _open(workspace, args, on_top=True)


@method("views.update")
def update(workspace: Workspace, args: Args) -> dict[str, Any]:
    content = checked_view(workspace, args.structure("view"))
    view = workspace.views.find(args.optional("view_id"), args.optional("external_id"))
    if view is None:
        raise SlackError("not_found")
    if args.optional("hash") not in (None, view.hash):
        raise SlackError("hash_conflict")
    workspace.views.update(view, content, kept_state(view, content))
    return show(workspace, view)


@method("views.publish")
def publish(workspace: Workspace, args: Args) -> dict[str, Any]:
    user = args.text("user_id")
    if user not in workspace.users:
        raise SlackError("user_not_found")
    content = checked_view(workspace, args.structure("view"), ("home",))
    shown = workspace.views.homes.get(user)
    if shown and args.optional("hash") not in (None, shown.hash):
        raise SlackError("hash_conflict")
    view = workspace.views.publish(user, content)
    view.state = initial_state(content["blocks"])
    return show(workspace, view)
