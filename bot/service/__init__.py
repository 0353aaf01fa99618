"""What a person can do, judged on the server: decide about a session, and see what is theirs."""

from bot.service.access import RequestOrigin
from bot.service.services import Services

__all__ = ["RequestOrigin", "Services"]
