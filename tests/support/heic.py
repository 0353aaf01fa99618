"""HEIC files as phones make them: one tile many times over, which is decoded as often.

`tile.heic` is a gradient of 512 × 512 pixels, made for this; nothing here can encode HEVC.
"""

from __future__ import annotations

import struct
from pathlib import Path

TILE = (Path(__file__).parent / "tile.heic").read_bytes()
SIDE = 512
PHONE = (8064, 6048)
"""48 megapixels."""


def grid(width: int = PHONE[0], height: int = PHONE[1], *, quarter_turns: int = 0) -> bytes:
    """A picture of tiles; with `quarter_turns` (counter-clockwise) it is stored lying on its
    side."""
    columns, rows = -(-width // SIDE), -(-height // SIDE)
    tiles = range(2, 2 + rows * columns)
    coded = TILE[TILE.index(b"mdat") + 4 :]
    layout = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)
    properties = [_hvc_config(), _size(SIDE, SIDE), _size(width, height)]
    properties.append(_box(b"irot", bytes([quarter_turns])))
    head = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(at: int) -> bytes:
        extent = struct.pack(">HHHII", 0, 0, 1, at, len(coded))
        where = [struct.pack(">HHHHII", 1, 1, 0, 1, 0, len(layout))]
        where += [struct.pack(">H", tile) + extent for tile in tiles]
        has = [struct.pack(">HBBB", 1, 2, 3, 0x80 | 4)]
        has += [struct.pack(">HBBB", tile, 2, 0x80 | 1, 2) for tile in tiles]
        number = struct.pack(">H", len(where))
        return _full(
            b"meta",
            0,
            _full(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
            _full(b"pitm", 0, struct.pack(">H", 1)),
            _full(b"iloc", 1, b"\x44\0", number, *where),
            _full(b"iinf", 0, number, _item(1, b"grid"), *(_item(n, b"hvc1") for n in tiles)),
            _full(
                b"iref", 0, _box(b"dimg", struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *tiles))
            ),
            _box(b"iprp", _box(b"ipco", *properties), _ipma(has)),
            _box(b"idat", layout),
        )

    at = len(head) + len(meta(0)) + 8
    return head + meta(at) + _box(b"mdat", coded)


def _ipma(associations: list[bytes]) -> bytes:
    return _full(b"ipma", 0, struct.pack(">I", len(associations)), *associations)


def _hvc_config() -> bytes:
    at = TILE.index(b"hvcC") - 4
    return TILE[at : at + struct.unpack_from(">I", TILE, at)[0]]


def _size(width: int, height: int) -> bytes:
    return _full(b"ispe", 0, struct.pack(">II", width, height))


def _item(number: int, kind: bytes) -> bytes:
    return _full(b"infe", 2, struct.pack(">HH", number, 0), kind, b"\0")


def _full(kind: bytes, version: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24), *parts)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body
