"""A person as Slack describes them: of which workspace, whether a guest, whether an admin."""

from __future__ import annotations

from typing import Any, NamedTuple

_GUEST = ("is_restricted", "is_ultra_restricted")
_ADMIN = ("is_admin", "is_owner", "is_primary_owner")
_STRANGER = ("deleted", "is_bot", "is_stranger", "is_workflow_bot", "is_connector_bot")


class Member(NamedTuple):
    """`team` and `enterprise` are empty where Slack does not name them."""

    team: str
    enterprise: str
    is_guest: bool
    is_stranger: bool
    is_admin: bool = False
    """An admin or an owner of the workspace."""
    is_org_admin: bool = False
    """An admin or an owner of the organisation."""
    teams: tuple[str, ...] = ()
    """The workspaces of the organisation that the person is a member of."""
    time_zone: str = ""
    """An IANA name; empty where Slack does not tell it."""

    def is_admin_of(self, workspace: str) -> bool:
        """Of this workspace, not of another one of its organisation."""
        outside = self.is_guest or self.is_stranger
        return self.is_admin and not outside and workspace in (self.team, *self.teams)


def member_of(user: dict[str, Any]) -> Member:
    enterprise = user.get("enterprise_user") or {}
    return Member(
        team=user.get("team_id") or "",
        enterprise=enterprise.get("enterprise_id") or user.get("enterprise_id") or "",
        is_guest=any(user.get(name) for name in _GUEST),
        is_stranger=any(user.get(name) for name in _STRANGER),
        is_admin=any(user.get(name) for name in _ADMIN),
        is_org_admin=any(enterprise.get(name) for name in _ADMIN),
        teams=tuple(enterprise.get("teams") or ()),
        time_zone=str(user.get("tz") or ""),
    )
