"""Who the bot is, for which installation a request is, and who acts in it.

Each kind of payload names people in a way of its own. In a channel that is shared with another
organisation (Slack Connect), an event's `team_id` may be that of either side: `authorizations` says
for which installation it is, `user_team` or `team` which workspace the author is of.

Of an organisation's people Slack often names the organisation (`E…`) where of others it names the
workspace (`T…`). An unknown workspace may be one more of our organisation, or a stranger's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from slack_bolt.request.internals import extract_enterprise_id, extract_team_id, extract_user_id

Payload = dict[str, Any]
Pair = tuple[str, str]
"""A workspace, and the organisation that the payload says it is of."""

SLACKBOT = "USLACKBOT"
_SUBTYPES_OF_PEOPLE = {None, "file_share", "me_message", "thread_broadcast"}
"""The subtypes of messages that a person writes; the others are edits, deletions and notices."""
_MARKS_OF_BOTS = ("bot_id", "bot_profile", "app_id", "display_as_bot")
"""The keys of a message that an app wrote, also of one that it wrote in a person's name."""
_INTERACTIONS = {"block_actions", "view_submission", "message_action", "shortcut"}


@dataclass(frozen=True)
class Identity:
    """The bot as `auth.test` knows it. `scopes` come from the answer's `x-oauth-scopes` header;
    empty where Slack did not send it. `url` is the workspace's. `org_wide`: it is installed in the
    organisation `enterprise_id`, and so in all of its workspaces."""

    team_id: str
    bot_id: str
    bot_user: str
    bot_name: str = ""
    scopes: frozenset[str] = field(default=frozenset())
    url: str = ""
    enterprise_id: str = ""
    org_wide: bool = False
    app_id: str = ""

    def has_scope(self, scope: str) -> bool:
        """Whether the bot was granted the scope, as far as that is known."""
        return not self.scopes or scope in self.scopes

    @cached_property
    def installation(self) -> str:
        """The workspace or the organisation in which it is installed."""
        return self.enterprise_id if self.org_wide else self.team_id

    def is_own_team(self, team: str, enterprise: str = "") -> bool:
        """Whether the people there are the installation's own: of its workspace, or of the
        organisation that the workspace is part of. `team` may be an organisation, too."""
        own = {self.team_id, self.enterprise_id} - {""}
        return team in own or (bool(enterprise) and enterprise == self.enterprise_id)


class ClaimedPerson(NamedTuple):
    """Who acts, as the payload names them. `org` is their organisation or workspace, empty where
    nothing names it. Where it is not `certain`, it may be another workspace of our organisation, or
    a stranger's."""

    user: str
    org: str
    certain: bool = True


def is_for_installation(body: Payload, identity: Identity) -> bool:
    """Whether the request is for this installation of this app."""
    app = body.get("api_app_id")
    if identity.app_id and app and app != identity.app_id:
        return False
    here = _text(body, "team_id"), _text(body, "enterprise_id")
    if "event" not in body:
        targets = [(_text(extract_team_id(body)), _text(extract_enterprise_id(body)))]
    elif targets := _authorizations(body):
        at_home = not any(here) or identity.is_own_team(*here)
        if not (at_home or is_shared(body) or identity.enterprise_id):
            return False
    else:
        context = _text(body, "context_team_id"), _text(body, "context_enterprise_id")
        targets = [context if any(context) else here]
    own = identity.installation
    return bool(own) and any(own in (pair if identity.org_wide else pair[:1]) for pair in targets)


def is_shared(body: Payload) -> bool:
    """Whether it happened where people of other organisations are."""
    return body.get("is_ext_shared_channel") in (True, "true")


def is_unshared(body: Payload) -> bool:
    """Whether Slack says that only the people of one organisation are there."""
    return body.get("is_ext_shared_channel") in (False, "false")


def is_user_request(body: Payload) -> bool:
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


def is_from_person(body: Payload, identity: Identity) -> bool:
    """Whether a person asks: not a bot, not an app, not nobody."""
    event = body.get("event")
    if isinstance(event, dict) and event.get("type") in {"app_mention", "message"}:
        by_bot = any(event.get(name) for name in _MARKS_OF_BOTS)
        if by_bot or event.get("subtype") not in _SUBTYPES_OF_PEOPLE:
            return False
    return _text(extract_user_id(body)) not in {"", SLACKBOT, identity.bot_user}


def claimed_person_of(body: Payload, identity: Identity) -> ClaimedPerson:
    """Who asks. The installation's own people have its `installation` as their `org`."""
    user = _text(extract_user_id(body))
    if isinstance(event := body.get("event"), dict):
        return _event_author(event, body, identity, user)
    if "command" in body:
        pair = _text(body, "team_id"), _text(body, "enterprise_id")
        return person_from_claims(user, pair[:1], [pair], identity)
    team = _text(body, "user", "team_id")
    org = _text(body, "user", "enterprise_id")
    org = org or _text(body, "user", "enterprise_user", "enterprise_id")
    here = _text(body, "team", "id") or _text(body, "team")
    pairs = [(team, org), (here, _text(body, "team", "enterprise_id"))]
    if (installed := _text(extract_enterprise_id(body))) != identity.enterprise_id:
        pairs.append((here, installed))  # ours is the installation's, and says nothing of people
    claims = [team or org] if team or org else [_text(body, "view", "team_id"), here]
    return person_from_claims(user, claims, pairs, identity)


def person_from_claims(
    user: str,
    claims: Sequence[str],
    pairs: Sequence[Pair],
    identity: Identity,
    *,
    unknown_is_ours: bool = False,
) -> ClaimedPerson:
    """`claims` are the organisations and workspaces that a payload names as the person's, the most
    telling first. Where they contradict each other, nothing is certain. Our organisation does not
    contradict a workspace that may belong to it. `unknown_is_ours`: a workspace that may be one
    more of our organisation is one."""
    claims = [claim for claim in claims if claim]
    orgs = {team: org for team, org in reversed(pairs) if team and org}  # the first one counts
    ours = [identity.is_own_team(claim, orgs.get(claim, "")) for claim in claims]
    named = [orgs.get(claim, claim) for claim, own in zip(claims, ours, strict=True) if not own]
    alone = not identity.enterprise_id
    foreign = [name for name in named if alone or name.startswith("E")]
    by_org = claims[:1] == [identity.enterprise_id] and not foreign
    unknown = bool(claims) and not any(ours) and not foreign
    if (claims and all(ours)) or by_org or (unknown and unknown_is_ours):
        return ClaimedPerson(user, identity.installation)
    org = next(iter([*foreign, *named]), "")
    return ClaimedPerson(user, org, certain=bool(foreign) and not any(ours))


def _event_author(event: Payload, body: Payload, identity: Identity, user: str) -> ClaimedPerson:
    """A mention's `team` may be that of the channel's other side, a message's is the author's."""
    claims = [
        _text(event, "user_team"),
        _text(event, "user_profile", "team"),
        _text(event, "source_team"),
    ]
    if event.get("type") == "message" or not any(claims):
        claims.append(_text(event, "team"))
    if not any(claims):
        home = _is_at_home(event, body, identity)
        return ClaimedPerson(user, identity.installation if home else "", certain=home)
    team, org = outer = _text(body, "team_id"), _text(body, "enterprise_id")
    context = _text(body, "context_team_id"), _text(body, "context_enterprise_id")
    pairs = [outer, context, *_authorizations(body)]
    inside = is_unshared(body) and team not in claims and identity.is_own_team("", org)
    return person_from_claims(user, claims, pairs, identity, unknown_is_ours=inside)


def _is_at_home(event: Payload, body: Payload, identity: Identity) -> bool:
    """Whether an event that names nobody's team happened where only our own people are. In an
    organisation words may come from a channel that is shared, unless Slack says that it is not."""
    if is_shared(body):
        return False
    if is_unshared(body):
        org = _text(body, "enterprise_id")
        return not org or identity.is_own_team(_text(body, "team_id"), org)
    words = event.get("type") in {"app_mention", "message"}
    return not (words and identity.enterprise_id)


def _authorizations(body: Payload) -> list[Pair]:
    """The installations that an event is for."""
    given = body.get("authorizations")
    known = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return [(_text(each, "team_id"), _text(each, "enterprise_id")) for each in known]


def _text(value: object, *keys: str) -> str:
    """The text under the keys, each inside the one before; empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
