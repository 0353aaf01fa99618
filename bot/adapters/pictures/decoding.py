"""From a file that somebody brought to the picture that a model is shown.

    signature → header: pixels → decode, near the wanted scale → turn upright → scale down
              → colours as sRGB → a new file without any metadata

This runs in a process of its own (`bot.adapters.pictures.child`): a hostile file may take all
memory that there is, or end the process.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import cast

import pi_heif
from PIL import AvifImagePlugin, Image, ImageCms

from bot.adapters.imaging import has_too_many_scans
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage, most_pixels

MAX_PIXELS_SENT = 3840 * 2160
"""The largest image that the models make: a picture to edit gains nothing by being larger."""
MAX_SIDE_SENT = 3840
LONG = 4 * 2**20
"""Bytes of a file, above which it is compressed more: every edit holds it several times."""
QUALITIES = (92, 80)
MAX_PROFILE = 2**20
"""Bytes of an ICC profile in a PNG; a longer one is left out."""

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/heic": "HEIF",
    "image/avif": "AVIF",
}
_LOSSLESS = {"image/png", "image/gif"}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_METADATA = {b"tEXt", b"zTXt", b"iTXt", b"tIME", b"sPLT", b"eXIf", b"iCCP"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_GENERAL_BRANDS = {b"mif1", b"msf1"}
_ORIENTATION = 0x0112
"""The EXIF tag."""
_TURNS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}

AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pi_heif.register_heif_opener(
    thumbnails=False, depth_images=False, aux_images=False, decode_threads=2
)


def read_picture(data: bytes) -> BaseImage:
    """The picture, or its first frame, upright, without metadata, no larger than models take it.
    Raises `GenerationError` where its header rules it out, `MemoryError`, and nearly anything else
    at a broken file."""
    mime_type = sniff(data)
    if mime_type is None:
        raise GenerationError(FailureKind.SOURCE_TYPE)
    if mime_type == "image/png":
        data = _png_without_metadata(data)
    with _without_warnings(), Image.open(io.BytesIO(data), formats=[_FORMATS[mime_type]]) as image:
        if image.width * image.height > most_pixels(mime_type):
            raise GenerationError(FailureKind.SOURCE_TOO_MANY_PIXELS)
        if mime_type == "image/jpeg" and has_too_many_scans(data):
            raise GenerationError(FailureKind.SOURCE_TOO_DEMANDING)
        del data
        turns, profile = _TURNS.get(_orientation(image), ()), image.info.get("icc_profile")
        small = _scaled_down(image)
    for turn in turns:
        small = small.transpose(turn)
    small = _opaque_if_possible(_in_srgb(small, profile))
    small.info.clear()
    return _encoded(small, lossless=mime_type in _LOSSLESS)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Pillow warns of broken metadata, which are left out anyway."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def sniff(data: bytes) -> str | None:
    """The MIME type by the first bytes, whatever the file is called; None for any other file."""
    if data.startswith(_PNG_SIGNATURE):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return _iso_media_type(data) if data[4:8] == b"ftyp" else None


def _iso_media_type(data: bytes) -> str | None:
    """HEIC or AVIF by the main brand or, where that is general, by the compatible ones. Films have
    the same container."""
    brand, length = data[8:12], min(int.from_bytes(data[:4]), 256)
    compatible = {data[at : at + 4] for at in range(16, length, 4)}
    if brand in _AVIF_BRANDS or (brand in _GENERAL_BRANDS and compatible & _AVIF_BRANDS):
        return "image/avif"
    return "image/heic" if brand in _HEIC_BRANDS | _GENERAL_BRANDS else None


def _png_without_metadata(data: bytes) -> bytes:
    """The file without texts and the like: they may unpack to much, and Pillow refuses the picture
    then. Its orientation and its colour profile stay."""
    kept = bytearray(_PNG_SIGNATURE)
    for name, chunk in _png_chunks(data):
        if name not in _PNG_METADATA or _is_needed(name, chunk):
            kept += chunk
    return bytes(kept)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The name of each chunk, and all of its bytes; the last one may be cut off."""
    view, at = memoryview(data), len(_PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, view[at : at + 12 + length]
        if name == b"IEND":
            return
        at += 12 + length


def _is_needed(name: bytes, chunk: memoryview) -> bool:
    if len(chunk) > MAX_PROFILE or name not in {b"eXIf", b"iCCP"}:
        return False
    if name == b"eXIf":
        return True
    packed = bytes(chunk[8:-4]).partition(b"\0")[2][1:]
    unpacking = zlib.decompressobj()
    with suppress(zlib.error):
        unpacking.decompress(packed, MAX_PROFILE)
    return bool(packed) and not unpacking.unconsumed_tail


def _orientation(image: Image.Image) -> int:
    """As the EXIF metadata tell it, 1 where they are broken. Of HEIC the library has turned the
    picture already."""
    try:
        told = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken metadata
        return 1
    return told if isinstance(told, int) else 1


def _scaled_down(image: Image.Image) -> Image.Image:
    """Decoded, as RGB or RGBA, and within what is sent. A JPEG is decoded at a fraction of its
    size; the others are reduced before they are resampled."""
    size = _size_sent(*image.size)
    if image.format in {"JPEG", "MPO"}:
        image.draft(None, size)
    image.load()
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    if image.mode not in {"RGB", "RGBA", "L", "CMYK"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode != "RGBA" and image.has_transparency_data:
        image = image.convert("RGBA")
    if image.size == size:
        return image.copy()
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _size_sent(width: int, height: int) -> tuple[int, int]:
    scale = min(
        1.0, MAX_SIDE_SENT / max(width, height), (MAX_PIXELS_SENT / (width * height)) ** 0.5
    )
    return max(1, int(width * scale)), max(1, int(height * scale))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits or more as grey of 8: Pillow's own conversion cuts off what is above 255."""
    if image.mode == "F":
        return image.convert("L")
    return image.point(lambda value: value * (1 / 256)).convert("L")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In the colours that everybody assumes where a file has no profile. One that is broken is
    passed over."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    if profile:
        with suppress(Exception):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            told = ImageCms.profileToProfile(colours, own, srgb, outputMode="RGB")
            colours = cast(Image.Image, told)
    colours = colours.convert("RGB")
    if alpha:
        colours.putalpha(alpha)
    return colours


def _opaque_if_possible(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image


def _encoded(image: Image.Image, *, lossless: bool) -> BaseImage:
    """As PNG where nothing was lost before or where it is transparent, if that is not long; else
    with a small loss as JPEG or, where it is transparent, as WebP."""
    transparent = image.mode == "RGBA"
    kinds: list[tuple[str, dict[str, int]]] = [("PNG", {})] if lossless or transparent else []
    lossy = "WEBP" if transparent else "JPEG"
    kinds += [(lossy, {"quality": quality}) for quality in QUALITIES]
    for kind, options in kinds:
        data = _saved(image, kind, **options)
        if len(data) <= LONG:
            break
    return BaseImage(data, f"image/{kind.lower()}", width=image.width, height=image.height)


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
