"""An exception without its text, which may hold a prompt, a secret or a body: which classes it is
of, and where it was raised."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import PurePath

_MOST_PLACES = 40
_LONGEST_CHAIN = 10


def kinds(error: BaseException) -> str:
    """The class, and the classes of what caused it: `SlackUnavailable from TimeoutError`."""
    return " from ".join(type(link).__name__ for link in _chain(error))


def places(error: BaseException) -> list[str]:
    """Where each link of the chain was raised, outermost call first: `generate.py:120 _ask`."""
    found = [
        f"{short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for link in _chain(error)
        for frame, line in traceback.walk_tb(link.__traceback__)
    ]
    return found[-_MOST_PLACES:]


def short(path: str) -> str:
    """The last parts of a file's path: enough to find it."""
    return "/".join(PurePath(path).parts[-3:])


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if link is None:
            return
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
