"""What the commands write for people to read."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    sys.stdout.write(f"{printable(line)}\n")


def printable(line: str) -> str:
    """Characters that a terminal obeys, or that nobody sees, stand as their escapes: somebody who
    can write to Redis could hide a line with them. So does half a character."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
