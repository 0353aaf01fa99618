"""`python -m bot inspect FILE`: what an image file says about its making."""

from bot.ops.inspection.report import inspect_file

__all__ = ["inspect_file"]
