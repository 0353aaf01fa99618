"""An image backend that needs no key: it draws patterns with words on them."""

from bot.adapters.placeholder.backend import PlaceholderBackend

__all__ = ["PlaceholderBackend"]
