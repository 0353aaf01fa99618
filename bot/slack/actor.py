"""Who acts in a request, and for which installation it is.

Each kind of payload names them in a way of its own. In a channel that is shared with another
organisation (Slack Connect), an event's `team_id` may be that of either side: `authorizations` says
for which installation it is, `user_team` or `team` which workspace the author is of.
"""

from __future__ import annotations

from typing import Any

from slack_bolt.request.internals import extract_enterprise_id, extract_team_id, extract_user_id

from bot.slack.claims import Actor, Pair, TeamClaims
from bot.slack.identity import Identity

__all__ = ["Actor", "actor_of", "is_asked_by_somebody", "is_of_a_person", "is_ours"]

Payload = dict[str, Any]

SLACKBOT = "USLACKBOT"
_OF_PEOPLE = {None, "file_share", "me_message", "thread_broadcast"}
"""The subtypes of messages that a person writes; the others are edits, deletions and notices."""
_OF_BOTS = ("bot_id", "bot_profile", "app_id", "display_as_bot")
"""What only a message has that an app wrote; also one that it wrote in a person's name."""
_INTERACTIONS = {"block_actions", "view_submission", "message_action", "shortcut"}


def is_ours(body: Payload, identity: Identity) -> bool:
    """Whether the request is for this installation of this app."""
    app = body.get("api_app_id")
    if identity.app_id and app and app != identity.app_id:
        return False
    if "event" not in body:
        return identity.is_installed_in(_text(extract_team_id(body)), _enterprise(body))
    team, enterprise = _text(body.get("team_id")), _text(body.get("enterprise_id"))
    if given := _authorizations(body):
        here = not (team or enterprise) or identity.is_home(team, enterprise)
        may_be = here or is_shared(body) or bool(identity.enterprise_id)
        return may_be and any(identity.is_installed_in(*each) for each in given)
    context = (_text(body.get("context_team_id")), _text(body.get("context_enterprise_id")))
    return identity.is_installed_in(*(context if any(context) else (team, enterprise)))


def is_shared(body: Payload) -> bool:
    """Whether it happened where people of other organisations are."""
    return body.get("is_ext_shared_channel") in (True, "true")


def is_told_unshared(body: Payload) -> bool:
    """Whether Slack says that only the people of one organisation are there."""
    return body.get("is_ext_shared_channel") in (False, "false")


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
    if "command" in body:
        pair = _pair(body, "team_id", "enterprise_id")
        return TeamClaims(pair[:1], [pair], identity).actor(user)
    return _claims_of_interaction(body, identity).actor(user)


def _claims_of_interaction(body: Payload, identity: Identity) -> TeamClaims:
    """`enterprise` is the installation's where it is ours: it says nothing of the person."""
    person, team, view = (_dict(body.get(name)) for name in ("user", "team", "view"))
    own, org = _text(person.get("team_id")), _enterprise_of(person)
    here = _text(team.get("id")) or _text(body.get("team"))
    pairs = [(own, org), (here, _text(team.get("enterprise_id")))]
    if (installed := _enterprise(body)) != identity.enterprise_id:
        pairs.append((here, installed))
    told = [own or org] if own or org else [_text(view.get("team_id")), here]
    return TeamClaims(told, pairs, identity)


def _author_of(event: Payload, body: Payload, identity: Identity, user: str) -> Actor:
    """A mention's `team` may be that of the channel's other side, a message's is the author's."""
    profile = _dict(event.get("user_profile"))
    told = [event.get("user_team"), profile.get("team"), event.get("source_team")]
    if event.get("type") == "message" or not any(map(_text, told)):
        told.append(event.get("team"))
    team, org = outer = _pair(body, "team_id", "enterprise_id")
    pairs = [outer, _pair(body, "context_team_id", "context_enterprise_id")]
    claims = TeamClaims([*map(_text, told)], pairs + _authorizations(body), identity)
    if not claims.any:
        home = _is_at_home(event, body, identity)
        return Actor(user, identity.installation if home else "", certain=home)
    others = team not in map(_text, told)
    inside = is_told_unshared(body) and others and identity.is_home("", org)
    if inside and claims.only_unknown:
        return Actor(user, identity.installation)
    return claims.actor(user)


def _is_at_home(event: Payload, body: Payload, identity: Identity) -> bool:
    """Whether an event that names nobody's team happened where only our own people are. In an
    organisation words may come from a channel that is shared, unless Slack says that it is not."""
    if is_shared(body):
        return False
    if is_told_unshared(body):
        org = _text(body.get("enterprise_id"))
        return not org or identity.is_home(_text(body.get("team_id")), org)
    words = event.get("type") in {"app_mention", "message"}
    return not (words and identity.enterprise_id)


def _authorizations(body: Payload) -> list[Pair]:
    """The installations that an event is for, as workspace and organisation."""
    given = body.get("authorizations")
    known = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return [_pair(each, "team_id", "enterprise_id") for each in known]


def _pair(told: Payload, team: str, org: str) -> Pair:
    return _text(told.get(team)), _text(told.get(org))


def _enterprise_of(person: Payload) -> str:
    """The organisation that a person's own entry names."""
    inner = _dict(person.get("enterprise_user"))
    return _text(person.get("enterprise_id")) or _text(inner.get("enterprise_id"))


def _enterprise(body: Payload) -> str:
    return _text(extract_enterprise_id(body))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: object) -> Payload:
    return value if isinstance(value, dict) else {}
