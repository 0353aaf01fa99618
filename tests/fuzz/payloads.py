"""Slack's requests, right and wrong: each is a valid one with some of it changed at random."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from bot.domain.attempt import ImageRef
from bot.domain.option_table import OPTIONS
from bot.views import ids
from bot.views.blocks import Target, numbered
from bot.views.source_pictures import Picture, SourcePictures
from tests.fakes import CHANNEL, ID, OWNER
from tests.scenario.payloads import (
    BOT,
    Payload,
    click,
    command,
    direct,
    home_click,
    mention,
    picture,
    shortcut,
    submission,
)

TYPED = "zebra crossing"
"""In all that people type here; it must not get into a log."""
STRANGER = "U8"
USERS = st.sampled_from([OWNER, STRANGER])

_WORDS = [
    *("", " ", "help", "list", "cancel", "--n", "--ar 0:0", "--size 9x9", "—n 9", "```", "\x00"),
    *("<!channel>", f"<@{BOT}>", "payload={}", "null", "\ud800", "é" * 99, "a" * 3_500),
]
WORDS = st.sampled_from(_WORDS) | st.text(max_size=40)
TEXT = st.builds(lambda before, after: f"{before} {TYPED} {after}", WORDS, WORDS) | WORDS
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    TEXT,
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)

TOKENS = [ID, f"T1.{STRANGER}.abc", "T1.U1.0", "T9.U1.abc123", "a.b", "..", "", "T1.U1.abc123:x"]
VALUES = st.one_of(
    st.builds(
        lambda session_id, attempt, candidate: str(
            Target(session_id, ImageRef(attempt, candidate))
        ),
        st.sampled_from(TOKENS),
        st.integers(0, 3) | st.integers(-1, 10_001),
        st.integers(0, 9),
    ),
    st.sampled_from([f"{ID}#1", f"{ID}#1.2", f"{ID}#0", f"{ID}#٣", f"{ID}#1\n", "0.0", "9.9"]),
    TEXT,
)
_PLAIN = [
    ids.REGENERATE,
    ids.EDIT_PROMPT,
    ids.CANCEL,
    ids.TRY_AGAIN,
    ids.START_OVER,
    ids.EDIT_IMAGE,
]
_OPTIONS = [spec.name for spec in OPTIONS]
_NUMBERED = [ids.APPROVE, ids.USE_THIS, ids.REFINE]
ACTIONS = st.one_of(
    st.sampled_from(_PLAIN),
    st.builds(numbered, st.sampled_from(_NUMBERED), st.integers(0, 9)),
    st.sampled_from(["approve_", "approve_2\n", "approved", "xapprove", ids.KEEP_LAST]),
    TEXT,
)
HOME_ACTIONS = st.one_of(
    st.builds(lambda option: f"{ids.DEFAULT_OPTION}_{option}", st.sampled_from(_OPTIONS)),
    st.sampled_from([f"{ids.HOME_PAGE}_working_next", f"{ids.HOME_PAGE}_pictures_prev"]),
    st.just(ids.KEEP_LAST),
)
FORMS = st.sampled_from([ids.PROMPT_FORM, ids.EDIT_FORM, ids.REFINE_FORM, ids.IMAGE_FORM])
PICTURES = (Picture("F9", "image/png", 2_000, "a.png"), Picture("F8"))
METADATA = VALUES | st.just(SourcePictures(CHANNEL, "", "5.5", PICTURES).to_metadata())


def _event(inner: Payload) -> Payload:
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": inner}


def _commands() -> st.SearchStrategy[Payload]:
    return st.builds(lambda text, user: command(text, user_id=user), TEXT, USERS)


def _messages() -> st.SearchStrategy[Payload]:
    """What people and bots write, and what becomes of it."""
    said = st.builds(
        lambda make, text, user, thread: _event(make(text, user=user, thread_ts=thread)),
        st.sampled_from([mention, direct]),
        TEXT,
        USERS,
        st.sampled_from(["", "1.0", "9.9"]),
    )
    changes: list[Payload] = [
        {"subtype": "message_changed", "message": {"text": TYPED, "user": OWNER, "ts": "1.0"}},
        {"subtype": "message_deleted", "previous_message": {"text": TYPED, "ts": "1.0"}},
        {"subtype": "bot_message", "bot_id": "B7"},
        {"subtype": "file_share", "files": [picture(), picture("F8", mode="tombstone"), {}]},
        {"user": None},
        {"user": BOT},
        {"files": [picture(size="large"), None]},
        {"type": "app_home_opened", "tab": "home", "view": None},
        {"type": "app_home_opened", "tab": "messages"},
        {"type": "reaction_added", "item": {"ts": "1.0"}},
        {"channel_type": "im"},
        {},
    ]
    return st.builds(
        lambda body, change: body | {"event": body["event"] | change},
        said,
        st.sampled_from(changes),
    )


def _submissions() -> st.SearchStrategy[Payload]:
    chosen = st.dictionaries(st.sampled_from([*_OPTIONS, ids.PICTURE_BLOCK]), WORDS, max_size=3)
    return st.builds(
        lambda form, metadata, text, user, chosen: submission(form, metadata, text, user, **chosen),
        FORMS,
        METADATA,
        TEXT | st.none(),
        USERS,
        chosen,
    )


def _others() -> st.SearchStrategy[Payload]:
    shortcuts = st.builds(
        lambda files, user: shortcut({"files": files, "text": TYPED}, user=user),
        st.lists(st.sampled_from([picture(), picture("F8", mimetype=None), {}]), max_size=3),
        USERS,
    )
    odd: list[Payload] = [
        {"type": "url_verification", "challenge": TYPED, "token": "t"},
        {"type": "view_closed", "view": {"id": "V1", "callback_id": ids.EDIT_FORM}},
        {"type": "block_suggestion", "action_id": "approve", "value": TYPED},
        {"type": "shortcut", "callback_id": ids.DIRECT_IMAGE, "user": {"id": OWNER}},
        {"ssl_check": "1", "token": "t"},
        {"type": "interactive_message", "callback_id": TYPED, "actions": [{"name": TYPED}]},
        {},
    ]
    return shortcuts | st.sampled_from(odd)


def _clicks() -> st.SearchStrategy[Payload]:
    buttons = st.builds(lambda a, v, user: click(a, v, user=user), ACTIONS, VALUES, USERS)
    tabs = st.builds(
        lambda a, v, chosen, page, user: home_click(
            a, value=v, selected=chosen, page=page, user=user
        ),
        HOME_ACTIONS,
        VALUES,
        WORDS,
        VALUES,
        USERS,
    )
    return buttons | tabs


VALID = st.one_of(_commands(), _clicks(), _submissions(), _messages(), _others())


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside a payload, itself left out."""
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    return [p for key, inner in inside for p in ((*path, key), *_places(inner, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn) -> Payload:
    """A valid request of which something is missing, of another type, or too much."""
    payload: Payload = copy.deepcopy(draw(VALID))
    for _ in range(draw(st.integers(0, 3))):
        places = _places(payload)
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder: Any = payload
        for key in way:
            holder = holder[key]
        match draw(st.sampled_from(["replace", "remove", "wrap", "add"])):
            case "remove":
                del holder[last]
            case "wrap":
                holder[last] = draw(st.sampled_from([[holder[last]], {"id": holder[last]}, [[]]]))
            case "add" if isinstance(holder[last], dict):
                holder[last][draw(WORDS)] = draw(JSON)
            case _:
                holder[last] = draw(JSON)
    return payload


def user_of(payload: Payload) -> object:
    """Whoever the request says that it is from, as far as that can be told."""
    for holder in (payload, payload.get("event")):
        if isinstance(holder, dict):
            user = holder.get("user", holder.get("user_id"))
            if user is not None:
                return user.get("id") if isinstance(user, dict) else user
    return None


def body_of(payload: Payload) -> tuple[bytes, str]:
    """As Slack posts it, with the content type."""
    if "command" in payload:
        form = {k: v if isinstance(v, str) else json.dumps(v) for k, v in payload.items()}
        return urlencode(form, errors="replace").encode(), "application/x-www-form-urlencoded"
    if payload.get("type") in ("event_callback", "url_verification"):
        return json.dumps(payload).encode(), "application/json"
    return urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded"
