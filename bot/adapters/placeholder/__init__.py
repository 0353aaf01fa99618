"""An image backend for running with no key: it draws patterns of its own, with words on them."""

from bot.adapters.placeholder.backend import PlaceholderBackend

__all__ = ["PlaceholderBackend"]
