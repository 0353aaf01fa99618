"""The prices of tokens: the operator's own prices, a table of ours, then the package
`genai-prices`.

The package is data in the installed version: nothing is asked over the network. It does not know
every model; `PRICES_FILE` may name others:

    [models."my-model"]          # dollars for a million tokens
    text_in = 5.0
    image_out = 30.0

    [default]                    # for every model that nothing else knows
    image_out = 40.0
"""

from __future__ import annotations

import hashlib
import logging
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import genai_prices

from bot.domain.costs import Cost, Usage
from bot.domain.errors import ImagineError
from bot.domain.model_names import names_of

log = logging.getLogger(__name__)

Rates = Mapping[str, Decimal]
"""Dollars for a million tokens, by the kinds below: micro-dollars for one."""

KINDS = ("text_in", "image_in", "cached_text_in", "cached_image_in", "text_out", "image_out")

_GPT_IMAGE = {
    "text_in": Decimal(5),
    "image_in": Decimal(8),
    "cached_text_in": Decimal("1.25"),
    "cached_image_in": Decimal(2),
    "text_out": Decimal(30),
    "image_out": Decimal(30),
}
_OURS: dict[str, Rates] = {"gpt-image-2.6-flare": _GPT_IMAGE, "gpt-image-2.6-sunburst": _GPT_IMAGE}
"""OpenAI's price list of November 2026, for models that the package does not know yet."""
_OURS_VERSION = "openai 2026-11"
_SUSPICIOUS = 0.001
"""Dollars for a million tokens: what costs less may be priced by the token."""
_PACKAGE_VERSION = f"genai-prices {version('genai-prices')}"


class PricesFileError(ImagineError):
    """The file with prices cannot be read. `why` says what is wrong with it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"PRICES_FILE: {path}: {why}")
        self.why = f"{path}: {why}"


class OwnPrices(NamedTuple):
    """The prices by model in the operator's file, its default, and the file's version: a hash of
    what it holds."""

    models: Mapping[str, Rates] = {}
    default: Rates | None = None
    version: str = ""


NO_OWN_PRICES = OwnPrices()


def read_prices(path: Path | None) -> OwnPrices:
    """Raises `PricesFileError`."""
    if path is None:
        return NO_OWN_PRICES
    try:
        content = path.read_bytes()
        read = tomllib.loads(content.decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise PricesFileError(path, str(error)) from None
    models = read.pop("models", {})
    default = read.pop("default", None)
    if read or not isinstance(models, dict):
        raise PricesFileError(path, "it holds [models.NAME] tables and [default], nothing else")
    rates: dict[str, Rates] = {}
    for name, given in models.items():
        exact = names_of(name)[0]
        if exact in rates:
            raise PricesFileError(path, f"{exact} has two tables, which differ in case or spaces")
        rates[exact] = _rates(path, name, given)
    version = f"PRICES_FILE {hashlib.sha256(content).hexdigest()[:8]}"
    return OwnPrices(rates, None if default is None else _rates(path, "default", default), version)


def _rates(path: Path, name: str, given: object) -> Rates:
    if not isinstance(given, dict) or not given:
        raise PricesFileError(path, f"{name} needs prices, such as image_out = 30.0")
    if nested := next((key for key, value in given.items() if isinstance(value, dict)), ""):
        quoted = f'[models."{name}.{nested}"]'
        raise PricesFileError(path, f"{name}: a name that holds a dot needs quotes, as {quoted}")
    if unknown := given.keys() - set(KINDS):
        kinds = ", ".join(KINDS)
        raise PricesFileError(path, f"{name}: {min(unknown)} is not known; there are {kinds}")
    for kind, price in given.items():
        is_number = isinstance(price, int | float) and not isinstance(price, bool)
        if not is_number or not 0 <= price < 1_000_000:
            raise PricesFileError(path, f"{name}: {kind} must be dollars for a million tokens")
        if 0 < price < _SUSPICIOUS:
            log.warning(
                "%s: %s: %s is for a million tokens: $%s is too low", path, name, kind, price
            )
    rates = {kind: Decimal(str(price)) for kind, price in given.items()}
    for kind in ("text_in", "image_in"):  # what is cached costs the same where no price is given
        if kind in rates:
            rates.setdefault(f"cached_{kind}", rates[kind])
    return rates


class TokenPrices:
    """Implements `bot.ports.Prices`."""

    def __init__(self, own: OwnPrices = NO_OWN_PRICES) -> None:
        self._own = own
        self._said: set[str] = set()

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        """A call costs what both models took. Where one of them has no price, the cost is not
        known; what the image took counts all the same."""
        host = Usage(
            text_in=usage.host_in, cached_text_in=usage.host_cached, text_out=usage.host_out
        )
        parts = [self._part(model, usage, 0)] if _own_tokens(usage) else []
        if host.counts():
            parts.append(self._part(host_model, host, usage.host_cache_write))
        known = [part for part in parts if part]
        if not parts or parts[0] is None:
            return Cost()
        micro = sum((amount for amount, _ in known), Decimal()).quantize(Decimal(1), ROUND_HALF_UP)
        versions = " + ".join(dict.fromkeys(version for _, version in known))
        return Cost(int(micro), versions, known=len(known) == len(parts))

    def _part(self, model: str, usage: Usage, cache_write: int) -> tuple[Decimal, str] | None:
        """Micro-dollars of one model, and the version of the prices."""
        if (priced := self._known(model, usage, cache_write)) is None and model not in self._said:
            self._said.add(model)
            log.warning("no price is known for the model %r: PRICES_FILE can give one", model)
        return priced

    def knows(self, model: str) -> bool:
        return self._known(model, Usage(text_in=1), 0) is not None

    def _known(self, model: str, usage: Usage, cache_write: int) -> tuple[Decimal, str] | None:
        own, names = self._own, names_of(model)
        if rates := _first_of(names, own.models):
            return _by_rates(rates, usage), own.version
        if rates := _first_of(names, _OURS):
            return _by_rates(rates, usage), _OURS_VERSION
        today = datetime.now(UTC).date()
        by_package = (_by_package(name, usage, cache_write, today) for name in names)
        if (amount := next((each for each in by_package if each is not None), None)) is not None:
            return amount, _PACKAGE_VERSION
        if own.default is not None:
            return _by_rates(own.default, usage), own.version
        return None


def _first_of(names: Sequence[str], rates: Mapping[str, Rates]) -> Rates | None:
    """The rates of the most exact name that has some."""
    return next((rates[name] for name in names if name in rates), None)


def _own_tokens(usage: Usage) -> bool:
    return any(not kind.startswith("host_") for kind in usage.counts())


def _by_rates(rates: Rates, usage: Usage) -> Decimal:
    counts = {
        "text_in": usage.text_in - usage.cached_text_in,
        "image_in": usage.image_in - usage.cached_image_in,
        "cached_text_in": usage.cached_text_in,
        "cached_image_in": usage.cached_image_in,
        "text_out": usage.text_out,
        "image_out": usage.image_out,
    }
    return sum((max(0, n) * rates.get(kind, Decimal()) for kind, n in counts.items()), Decimal())


@lru_cache(maxsize=1024)
def _by_package(model: str, usage: Usage, cache_write: int, day: date) -> Decimal | None:
    """None where the package does not know the model. Its prices of the `day`, which is today,
    count."""
    taken = genai_prices.Usage(
        input_tokens=usage.text_in + usage.image_in,
        input_image_tokens=usage.image_in,
        cache_read_tokens=usage.cached_text_in + usage.cached_image_in,
        cache_image_read_tokens=usage.cached_image_in,
        cache_write_tokens=cache_write,
        output_tokens=usage.text_out + usage.image_out,
        output_image_tokens=usage.image_out,
    )
    try:
        price = genai_prices.calc_price(taken, model, provider_id="openai")
    except (LookupError, ValueError):
        return None
    return price.total_price * 1_000_000
