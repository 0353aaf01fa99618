"""The actions of a person, judged on the server: decisions about a session, and their library."""

from bot.service.access import RequestOrigin
from bot.service.services import Services

__all__ = ["RequestOrigin", "Services"]
