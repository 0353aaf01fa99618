"""Where a request comes from: for which installation, and from whom.

Slack tells it in another way in each kind of payload. In a channel that is shared with another
organisation (Slack Connect), an event's `team_id` may be that of either side: `authorizations` says
for which installation it is, `user_team` or `team` whose the author is. Of an organisation's people
Slack often names the organisation (`E…`) where of others it names the workspace (`T…`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from slack_bolt.request.internals import extract_enterprise_id, extract_team_id, extract_user_id

from bot.slack.identity import Identity

Payload = dict[str, Any]

SLACKBOT = "USLACKBOT"
_OF_PEOPLE = {None, "file_share", "thread_broadcast", "me_message"}
"""The subtypes of messages that a person writes; the others are edits, deletions and notices."""
_OF_BOTS = ("bot_id", "bot_profile", "app_id", "display_as_bot")
"""What only a message has that an app wrote; also one that it wrote in a person's name."""
_INTERACTIONS = {"block_actions", "view_submission", "message_action", "shortcut"}


class Actor(NamedTuple):
    """Who did something, as the payload tells it. `org` is the organisation or the workspace, empty
    where nothing tells it; where it is not `certain`, it may be another workspace of the same
    organisation or a stranger's."""

    user: str
    org: str
    certain: bool = True


def is_ours(body: Payload, identity: Identity) -> bool:
    """Whether the request is for this installation of this app."""
    app = body.get("api_app_id")
    if identity.app_id and app and app != identity.app_id:
        return False
    if "event" not in body:
        return identity.is_installed_in(_text(extract_team_id(body)), _enterprise(body))
    team, enterprise = _text(body.get("team_id")), _text(body.get("enterprise_id"))
    if given := _authorizations(body):
        shared = is_shared(body) or not (team or enterprise) or identity.is_home(team, enterprise)
        shared = shared or (bool(identity.enterprise_id) and not enterprise)
        return shared and any(identity.is_installed_in(*each) for each in given)
    context = (_text(body.get("context_team_id")), _text(body.get("context_enterprise_id")))
    return identity.is_installed_in(*(context if any(context) else (team, enterprise)))


def is_shared(body: Payload) -> bool:
    """Whether it happened where people of other organisations are."""
    return body.get("is_ext_shared_channel") not in (None, False)


def is_asked_by_somebody(body: Payload) -> bool:
    """Whether somebody asks the bot for something, by command, click, form, shortcut or words."""
    event = body.get("event")
    if not isinstance(event, dict):
        return "command" in body or body.get("type") in _INTERACTIONS
    match event.get("type"):
        case "app_mention":
            return True
        case "message":
            return event.get("channel_type") == "im"
        case "app_home_opened":
            return event.get("tab") == "home"
    return False


def is_of_a_person(body: Payload, identity: Identity) -> bool:
    """Whether it is a person who asks, and no bot, no app and nobody."""
    event = body.get("event")
    if isinstance(event, dict) and event.get("type") in {"app_mention", "message"}:
        by_bot = any(event.get(name) for name in _OF_BOTS)
        if by_bot or event.get("subtype") not in _OF_PEOPLE:
            return False
    return _text(extract_user_id(body)) not in {"", SLACKBOT, identity.bot_user}


def actor_of(body: Payload, identity: Identity) -> Actor:
    """Who asks, for the installation that `is_ours`. Its own people have its `installation` as
    their `org`."""
    user = _text(extract_user_id(body))
    if isinstance(event := body.get("event"), dict):
        return _author_of(event, body, identity, user)
    person, team = body.get("user"), body.get("team")
    here = _text(team.get("id")) if isinstance(team, dict) else _text(body.get("team_id"))
    told = _text(person.get("team_id")) if isinstance(person, dict) else ""
    claimed = told or here
    if not claimed:
        return Actor(user, identity.installation, certain=not identity.enterprise_id)
    around = _enterprise(body)
    org = _organisation_told(body) if here == claimed else ""
    if identity.is_home(claimed, org):
        return Actor(user, identity.installation)
    if here == claimed and around not in ("", identity.enterprise_id):
        return Actor(user, around)
    return Actor(user, org or claimed, certain=bool(org) or _is_elsewhere(claimed, identity))


def _organisation_told(body: Payload) -> str:
    """The organisation of the workspace that the payload is from, in the words of that workspace:
    what stands around it in an interaction is the installation's."""
    team = body.get("team")
    if "command" in body:
        return _enterprise(body)
    return _text(team.get("enterprise_id")) if isinstance(team, dict) else ""


def _author_of(event: Payload, body: Payload, identity: Identity, user: str) -> Actor:
    profile = event.get("user_profile")
    told = [event.get("user_team"), profile.get("team") if isinstance(profile, dict) else None]
    named = [team for team in map(_text, [*told, event.get("source_team")]) if team]
    claimed = next(iter(named), "") or _text(event.get("team"))
    if other := next((t for t in named if not identity.is_home(t, _organisation_of(t, body))), ""):
        claimed = other
    if not claimed:
        return Actor(user, "" if is_shared(body) else identity.installation, not is_shared(body))
    org = _organisation_of(claimed, body)
    if identity.is_home(claimed, org):
        return Actor(user, identity.installation)
    closed = body.get("is_ext_shared_channel") is False
    inside = closed and identity.is_home("", _text(body.get("enterprise_id")))
    if inside and not org and claimed.startswith("T") and claimed != _text(body.get("team_id")):
        return Actor(user, identity.installation)
    agreed = len(set(named)) < 2
    certain = agreed and (bool(org) or _is_elsewhere(claimed, identity))
    return Actor(user, org or claimed, certain)


def _is_elsewhere(claimed: str, identity: Identity) -> bool:
    """Whether an organisation or workspace that is not known to be ours is surely another: a
    workspace may be one more of our organisation."""
    return claimed.startswith("E") or not identity.enterprise_id


def _organisation_of(team: str, body: Payload) -> str:
    """The organisation of a workspace, where the event tells it."""
    pairs = [(body.get("team_id"), body.get("enterprise_id"))]
    pairs += [(body.get("context_team_id"), body.get("context_enterprise_id"))]
    pairs += _authorizations(body)
    return next((_text(org) for known, org in pairs if known == team and org), "")


def _authorizations(body: Payload) -> list[tuple[str, str]]:
    """The installations that an event is for, as workspace and organisation."""
    given = body.get("authorizations")
    known = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return [(_text(each.get("team_id")), _text(each.get("enterprise_id"))) for each in known]


def _enterprise(body: Payload) -> str:
    return _text(extract_enterprise_id(body))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
