"""The features in the app's manifest that a client shows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A slash command, as its completion shows it."""

    command: str
    usage_hint: str
    description: str


@dataclass(frozen=True)
class Shortcut:
    """A message shortcut, in the menu of every message."""

    callback_id: str
    name: str


@dataclass(frozen=True)
class Features:
    """`events`: the bot events that the app is subscribed to; None means all of them."""

    commands: tuple[Command, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    events: frozenset[str] | None = None
    home_tab: bool = False
