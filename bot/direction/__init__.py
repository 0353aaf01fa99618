"""What a person can do, judged on the server: decide about a session, and see what is theirs."""

from bot.direction.decisions import Direction
from bot.direction.place import Place
from bot.direction.portfolio import Portfolio

__all__ = ["Direction", "Place", "Portfolio"]
