"""Whose a user is: the workspace's, another's of its organisation, or a stranger's."""

from bot.sandbox.workspace.workspace import Channel, User, Workspace


def home_of(workspace: Workspace, user: User) -> tuple[str, str]:
    """The workspace and the organisation that a user is of."""
    if user.team_id or user.enterprise_id:
        return user.team_id, user.enterprise_id
    return workspace.app.team_id, workspace.app.enterprise_id


def is_stranger(workspace: Workspace, user: User) -> bool:
    """Of another organisation, or of another workspace where there is none."""
    team, org = home_of(workspace, user)
    app = workspace.app
    return org != app.enterprise_id or (not org and team != app.team_id)


def is_shared(workspace: Workspace, channel: Channel) -> bool:
    """Whether there are strangers in it."""
    known = [workspace.users[each] for each in channel.members if each in workspace.users]
    return any(is_stranger(workspace, user) for user in known)
