"""`python -m bot.adapters.pictures.child PARENT`: reads pictures until its input ends.

    request  4 bytes: the length · the file. A length of 0 only asks whether the child is there
    answer   a line of JSON: what was read, or the `failure` · as many bytes as its `length` says

The child limits itself before it imports a decoder, and there is no secret in its environment.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage

MEMORY = 640 * 2**20
"""Bytes of address space. A photo of 48 megapixels takes 160 MB as JPEG and 370 MB as HEIC, the
most demanding pictures that are read take nearly 600."""
LONGEST_READ = 60
"""Seconds, after which a child ends that nobody waits for any more."""
_PR_SET_PDEATHSIG = 1

Read = Callable[[bytes], BaseImage]


def main() -> None:
    limit_process(int(sys.argv[1]))
    requests, answers = _pipes()
    try:
        from bot.adapters.pictures.decoding import read_picture
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker logs it
        _answer(answers, {"failure": f"{type(error).__name__}: {error}"[:200]})
    else:
        _answer(answers, {})
        serve(requests, answers, read_picture)


def limit_process(parent: int) -> None:
    """Bound the memory, and end with the worker. Only Linux limits an address space; elsewhere the
    limits of the headers hold, and the child ends with its input."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    memory = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        sys.exit(1)
    with suppress(OSError):  # where memory runs out, the kernel is to end this process first
        Path("/proc/self/oom_score_adj").write_text("1000")


def serve(requests: BinaryIO, answers: BinaryIO, read: Read) -> None:
    """Answer until there are no more requests. After a picture that took all memory the child
    ends: what it still holds could cost the next one."""
    while (data := _request(requests)) is not None:
        if not data:
            _answer(answers, {})
            continue
        signal.alarm(LONGEST_READ)
        told, body = _result(read, data)
        signal.alarm(0)
        _answer(answers, told, body)
        if told.get("failure") == FailureKind.SOURCE_TOO_DEMANDING:
            return
        del data, body


def _result(read: Read, data: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        picture = read(data)
    except GenerationError as refused:
        return {"failure": refused.kind.value}, b""
    except MemoryError:
        return {"failure": FailureKind.SOURCE_TOO_DEMANDING.value}, b""
    except Exception:  # noqa: BLE001 - decoders raise nearly anything at broken files
        return {"failure": FailureKind.SOURCE_UNREADABLE.value}, b""
    told = {"mime_type": picture.mime_type, "width": picture.width, "height": picture.height}
    return told, picture.data


def _request(requests: BinaryIO) -> bytes | None:
    """The file of the next request; None at the end of the input."""
    head = requests.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack(">I", head)
    data = requests.read(length)
    return data if len(data) == length else None


def _answer(answers: BinaryIO, told: dict[str, Any], body: bytes = b"") -> None:
    answers.write(json.dumps({**told, "length": len(body)}).encode() + b"\n")
    answers.write(body)
    answers.flush()


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """The input and the output. What a library prints does not come between the answers."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return requests, answers


if __name__ == "__main__":
    main()
