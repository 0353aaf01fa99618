"""The C2PA manifest of a file, read by the extra `c2pa`, where that is installed."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Iterator
from typing import Any

from bot.ops.inspection.marks import shown

WITHOUT = "the extra `c2pa` reads it: pip install c2pa-python"
_STATES = {
    "Trusted": "fits the file, and its signer is trusted",
    "Valid": "fits the file; its signer is on no list of trusted ones",
    "Invalid": "does not fit the file, which was changed after it was signed",
}
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
"""A file must not make the program call anybody."""


def manifest_lines(data: bytes, mime_type: str, size: int) -> Iterator[str]:
    """What the manifest store of `size` bytes says."""
    try:
        c2pa = importlib.import_module("c2pa")
    except ImportError:
        yield f"C2PA manifest, {size} bytes; {WITHOUT}"
        return
    try:
        stored, state = _read(c2pa, data, mime_type)
    except c2pa.C2paError as error:
        yield f"C2PA manifest, {size} bytes; it cannot be read: {shown(str(error))}"
        return
    yield f"C2PA manifest, {size} bytes; it {_STATES.get(state, shown(state))}"
    yield from _told(stored.get("manifests", {}).get(stored.get("active_manifest"), {}))


def _read(c2pa: Any, data: bytes, mime_type: str) -> tuple[dict[str, Any], str]:
    """The manifest store, and whether it fits the file."""
    settings = c2pa.Settings.from_dict(_OFFLINE)
    with c2pa.Reader(mime_type, io.BytesIO(data), context=c2pa.Context(settings)) as reader:
        stored: dict[str, Any] = json.loads(reader.json())
        return stored, str(reader.get_validation_state())


def _told(manifest: dict[str, Any]) -> Iterator[str]:
    """What the active manifest says of who made the image, and how."""
    for generator in manifest.get("claim_generator_info") or []:
        words = f"{generator.get('name', '')} {generator.get('version') or ''}"
        yield f"C2PA claim generator: {shown(words)}"
    signature = manifest.get("signature_info") or {}
    if signature:
        when = signature.get("time") or ""
        who = signature.get("issuer") or signature.get("common_name") or "nobody named"
        yield f"C2PA signed by: {shown(f'{who} {when}')}"
    for assertion in manifest.get("assertions") or []:
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            yield from map(_action, assertion.get("data", {}).get("actions") or [])


def _action(action: dict[str, Any]) -> str:
    source = action.get("digitalSourceType")
    words = shown(str(action.get("action", "")))
    return f"C2PA action: {words}" + (f", DigitalSourceType {shown(str(source))}" if source else "")
