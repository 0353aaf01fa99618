"""What a person can do, judged on the server: decide about a session, and see what is theirs."""

from bot.service.decisions import Direction
from bot.service.library import Portfolio
from bot.service.origin import Place

__all__ = ["Direction", "Place", "Portfolio"]
