"""Users, channels, the installed app, and which workspace a user belongs to."""

from dataclasses import dataclass, field


@dataclass
class User:
    """`team_id` and `enterprise_id` are set for somebody from another workspace only.
    `display_name` is the `name` unless it is set."""

    id: str
    name: str
    real_name: str = ""
    is_bot: bool = False
    team_id: str = ""
    enterprise_id: str = ""
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    display_name: str = ""
    is_admin: bool = False
    is_owner: bool = False
    deleted: bool = False
    tz: str = "Europe/Amsterdam"


@dataclass(frozen=True)
class Group:
    """A user group."""

    id: str
    name: str
    handle: str


@dataclass
class Channel:
    """A channel, or with `user` a direct conversation of that user with the bot. Group direct
    messages are known by their names, those of two people by their ids. `joinable`: an app can
    join it, if it is public."""

    id: str
    name: str
    is_private: bool = False
    members: set[str] = field(default_factory=set)
    user: str | None = None
    is_archived: bool = False
    joinable: bool = True
    is_deleted: bool = False

    @property
    def is_im(self) -> bool:
        return self.user is not None

    @property
    def is_group_direct(self) -> bool:
        return self.name.startswith("mpdm-")

    @property
    def is_between_people(self) -> bool:
        """A direct conversation that the bot is not part of, and that takes no apps."""
        return self.id.startswith("D") and not self.is_im


@dataclass(frozen=True)
class App:
    """The identity of the installed bot. With `org_wide` it is in all of the organisation."""

    app_id: str = "A0IMAGINE1"
    bot_id: str = "B0IMAGINE1"
    bot_user: str = "U0IMAGINE1"
    team_id: str = "T0SANDBOX1"
    team_domain: str = "sandbox"
    enterprise_id: str = ""
    org_wide: bool = False
    bot_token: str = "xoxb-sandbox-bot-token"  # noqa: S105
    app_token: str = "xapp-1-A0IMAGINE1-sandbox-app-token"  # noqa: S105
    signing_secret: str = "sandbox-signing-secret"  # noqa: S105
    verification_token: str = "sandbox-verification-token"  # noqa: S105


def home_of(app: App, user: User) -> tuple[str, str]:
    """The ids of the workspace and of the organisation that a user belongs to."""
    if user.team_id or user.enterprise_id:
        return user.team_id, user.enterprise_id
    return app.team_id, app.enterprise_id


def is_external(app: App, user: User) -> bool:
    """Whether a user belongs to another organisation, or to another workspace where there is no
    organisation."""
    team, org = home_of(app, user)
    return org != app.enterprise_id or (not org and team != app.team_id)
