"""The operator's own prices, a file of TOML:

    [models."my-model"]          # dollars for a million tokens
    text_in = 5.0
    image_out = 30.0

    [default]                    # for every model that nothing else knows
    image_out = 40.0

A kind of tokens that a table leaves out has the price that another source knows.
"""

from __future__ import annotations

import hashlib
import logging
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from bot.domain.errors import ImagineError
from bot.domain.model_names import names_of, without_provider

log = logging.getLogger(__name__)

Rates = Mapping[str, Decimal]
"""Dollars for a million tokens, by the kinds below: micro-dollars for one."""

KINDS = ("text_in", "image_in", "cached_text_in", "cached_image_in", "text_out", "image_out")

_TABLES = "it holds [models.NAME] tables and [default], nothing else"
_SUSPICIOUS = 0.001
"""Dollars for a million tokens: what costs less may be priced by the token."""
_TOO_MUCH = 1_000_000
"""Dollars for a million tokens."""
_LONGEST_NAME = 80
"""Characters of a name that are shown."""


class PricesFileError(ImagineError):
    """The file with prices cannot be used. `why` says what is wrong with it, in one line."""

    def __init__(self, path: Path | None, why: str) -> None:
        super().__init__(f"PRICES_FILE: {path}: {why}")
        self.why = f"{path}: {why}"


class OwnPrices(NamedTuple):
    """The prices by model in the operator's file, its default, and the file's version: a hash of
    what it holds."""

    models: Mapping[str, Rates] = {}
    default: Rates | None = None
    version: str = ""
    path: Path | None = None


NO_OWN_PRICES = OwnPrices()


def read_prices(path: Path | None) -> OwnPrices:
    """Raises `PricesFileError`."""
    if path is None:
        return NO_OWN_PRICES
    content, read = _read(path)
    models, default = read.pop("models", {}), read.pop("default", None)
    if read or not isinstance(models, dict):
        raise PricesFileError(path, _TABLES)
    rates: dict[str, Rates] = {}
    for name, given in models.items():
        exact = names_of(name)[0]
        if exact in rates:
            why = f"{_shown(exact)} has two tables, which differ in case or spaces"
            raise PricesFileError(path, why)
        rates[exact] = _rates(path, name, given)
    for name in list(rates):  # an answer may leave out the provider that was asked for
        rates.setdefault(without_provider(name), rates[name])
    version = f"PRICES_FILE {hashlib.sha256(content).hexdigest()[:8]}"
    by_default = None if default is None else _rates(path, "default", default)
    return OwnPrices(rates, by_default, version, path)


def _read(path: Path) -> tuple[bytes, dict[str, Any]]:
    """The bytes of the file, and what they say."""
    try:
        content = path.read_bytes()
        return content, tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise PricesFileError(path, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise PricesFileError(path, "it must be text in UTF-8") from None
    except RecursionError:
        raise PricesFileError(path, f"it is nested too deep: {_TABLES}") from None
    except ValueError as error:
        raise PricesFileError(path, str(error)) from None


def _rates(path: Path, name: str, given: object) -> Rates:
    named = _shown(name)
    if not isinstance(given, dict) or not given:
        raise PricesFileError(path, f"{named} needs prices, such as image_out = 30.0")
    if nested := next((key for key, value in given.items() if isinstance(value, dict)), ""):
        quoted = f'[models."{named}.{_shown(nested)}"]'
        raise PricesFileError(path, f"{named}: a name that holds a dot needs quotes, as {quoted}")
    if unknown := given.keys() - set(KINDS):
        kinds = ", ".join(KINDS)
        why = f"{named}: {_shown(min(unknown))} is not known; there are {kinds}"
        raise PricesFileError(path, why)
    for kind, price in given.items():
        _check(path, named, kind, price)
    rates = {kind: Decimal(str(price)) for kind, price in given.items()}
    for kind in ("text_in", "image_in"):  # what is cached costs the same where no price is given
        if kind in rates:
            rates.setdefault(f"cached_{kind}", rates[kind])
    return rates


def _check(path: Path, named: str, kind: str, price: object) -> None:
    if isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price < _TOO_MUCH:
        raise PricesFileError(path, f"{named}: {kind} must be dollars for a million tokens")
    if 0 < price < _SUSPICIOUS:
        log.warning("%s: %s: %s is for a million tokens: $%s is too low", path, named, kind, price)


def _shown(name: str) -> str:
    """The name in one line, and no longer than can be read."""
    return "".join(each if each.isprintable() else "?" for each in name[:_LONGEST_NAME])
