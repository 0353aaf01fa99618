"""Who the bot is, and what it is installed in."""

from __future__ import annotations

from dataclasses import dataclass, field


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

    def may(self, scope: str) -> bool:
        """Whether the bot was granted the scope, as far as that is known."""
        return not self.scopes or scope in self.scopes

    @property
    def installation(self) -> str:
        """What it is installed in: the workspace, or the organisation."""
        return self.enterprise_id if self.org_wide else self.team_id

    def is_installed_in(self, team: str, enterprise: str) -> bool:
        """Whether a request for an installation there is for this one."""
        if self.org_wide:
            return bool(self.enterprise_id) and self.enterprise_id in (team, enterprise)
        return bool(team) and team == self.team_id

    def is_home(self, team: str, enterprise: str = "") -> bool:
        """Whether the people there are the installation's own: of its workspace, or of the
        organisation that the workspace is part of. `team` may be an organisation, too."""
        own = {self.team_id, self.enterprise_id} - {""}
        return team in own or (bool(enterprise) and enterprise == self.enterprise_id)
