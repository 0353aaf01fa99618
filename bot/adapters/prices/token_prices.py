"""The prices of tokens: the operator's own prices, a table of ours, then the package
`genai-prices` in the installed version, which does not know every model."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from importlib.metadata import version

import genai_prices

from bot.adapters.prices.price_file import (
    KINDS,
    NO_OWN_PRICES,
    OwnPrices,
    PricesFileError,
    Rates,
)
from bot.domain.costs import Cost, Usage
from bot.domain.model_names import names_of

log = logging.getLogger(__name__)

IMAGE_KINDS = ("text_in", "image_in", "image_out")
HOST_KINDS = ("text_in", "text_out")
"""What images and their edits take of the model that makes them, and of the one that calls it."""

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
_PACKAGE_VERSION = f"genai-prices {version('genai-prices')}"


@dataclass
class _Bill:
    """What a model took. `left` are the tokens by kind that have no price yet, and `micro` what the
    others cost."""

    left: dict[str, int]
    micro: Decimal = Decimal()
    versions: list[str] = field(default_factory=list)

    def add(self, rates: Rates | None, version: str) -> None:
        """Price what is left of the kinds that these rates have."""
        priced = self.left.keys() & (rates or {}).keys()
        if rates and priced:
            self.micro += sum((self.left.pop(kind) * rates[kind] for kind in priced), Decimal())
            self.versions.append(version)

    def add_by_package(self, names: Sequence[str], cache_write: int) -> None:
        if not self.left:
            return
        counts, today = tuple(self.left.items()), datetime.now(UTC).date()
        found = (_by_package(name, counts, cache_write, today) for name in names)
        amount, priced = next(filter(None, found), (Decimal(), frozenset[str]()))
        if self.left.keys() & priced:
            self.micro += amount
            self.versions.append(_PACKAGE_VERSION)
            self.left = {kind: n for kind, n in self.left.items() if kind not in priced}


class TokenPrices:
    """Implements `bot.ports.Prices`."""

    def __init__(self, own: OwnPrices = NO_OWN_PRICES) -> None:
        self._own = own
        self._said: set[tuple[str, tuple[str, ...]]] = set()

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        """A call costs what both models took. Where some of it has no price, the cost is not known;
        the rest counts all the same, unless nothing of the first model has a price."""
        host = Usage(
            text_in=usage.host_in, cached_text_in=usage.host_cached, text_out=usage.host_out
        )
        bills = [self._bill(model, counts, 0)] if (counts := _counts(usage)) else []
        if counts := _counts(host):
            bills.append(self._bill(host_model, counts, usage.host_cache_write))
        if not bills or not bills[0].versions:
            return Cost()
        micro = sum((bill.micro for bill in bills), Decimal()).quantize(Decimal(1), ROUND_HALF_UP)
        versions = " + ".join(dict.fromkeys(each for bill in bills for each in bill.versions))
        return Cost(int(micro), versions, known=not any(bill.left for bill in bills))

    def unpriced(self, model: str, kinds: Sequence[str]) -> list[str]:
        """Those of the kinds of tokens that have no price."""
        left = self._priced(names_of(model), dict.fromkeys(kinds, 1), 0).left
        return [kind for kind in kinds if kind in left]

    def _bill(self, model: str, counts: dict[str, int], cache_write: int) -> _Bill:
        """The bill; what has no price is logged once."""
        names = names_of(model)
        bill = self._priced(names, counts, cache_write)
        kinds = tuple(bill.left) if bill.versions else ()
        if bill.left and (names[0], kinds) not in self._said:
            self._said.add((names[0], kinds))
            words = unpriced_words(f"the model {model!r}", kinds)
            log.warning("%s: PRICES_FILE can give one", words)
        return bill

    def _priced(self, names: Sequence[str], counts: dict[str, int], cache_write: int) -> _Bill:
        """A kind without a price in one source may have one in the next."""
        own, bill = self._own, _Bill(counts)
        bill.add(_first_of(names, own.models), own.version)
        bill.add(_first_of(names, _OURS), _OURS_VERSION)
        bill.add_by_package(names, cache_write)
        bill.add(own.default, own.version)
        return bill


def prices_with(own: OwnPrices, image_model: str) -> TokenPrices:
    """Raises `PricesFileError` where the file has prices for the model and leaves out that of what
    it makes, and nothing else has one: its images would count $0."""
    prices = TokenPrices(own)
    named = _first_of(names_of(image_model), own.models) or own.default
    if named and prices.unpriced(image_model, ["image_out"]):
        raise PricesFileError(own.path, f"{image_model} needs image_out, the price of its images")
    return prices


def unpriced_words(model: str, kinds: Iterable[str]) -> str:
    """Such as: no price of image_out is known for my-model. Without kinds nothing of it has one."""
    named = ", ".join(kinds)
    return f"no price {f'of {named} ' if named else ''}is known for {model}"


def _first_of(names: Sequence[str], rates: Mapping[str, Rates]) -> Rates | None:
    """The rates of the most exact name that has some."""
    return next((rates[name] for name in names if name in rates), None)


def _counts(usage: Usage) -> dict[str, int]:
    """The tokens of the first model by kind; what is cached is a kind of its own."""
    counts = {
        "text_in": usage.text_in - usage.cached_text_in,
        "image_in": usage.image_in - usage.cached_image_in,
        "cached_text_in": usage.cached_text_in,
        "cached_image_in": usage.cached_image_in,
        "text_out": usage.text_out,
        "image_out": usage.image_out,
    }
    return {kind: count for kind, count in counts.items() if count > 0}


@lru_cache(maxsize=1024)
def _by_package(
    model: str, counts: tuple[tuple[str, int], ...], cache_write: int, day: date
) -> tuple[Decimal, frozenset[str]] | None:
    """Micro-dollars, and the kinds that have a price; None where the package does not know the
    model. Its prices of the `day`, which is today, count."""
    n = dict.fromkeys(KINDS, 0) | dict(counts)
    image_in = n["image_in"] + n["cached_image_in"]
    taken = genai_prices.Usage(
        input_tokens=n["text_in"] + n["cached_text_in"] + image_in,
        input_image_tokens=image_in,
        cache_read_tokens=n["cached_text_in"] + n["cached_image_in"],
        cache_image_read_tokens=n["cached_image_in"],
        cache_write_tokens=min(cache_write, n["text_in"]),
        output_tokens=n["text_out"] + n["image_out"],
        output_image_tokens=n["image_out"],
    )
    try:
        price = genai_prices.calc_price(taken, model, provider_id="openai")
    except (LookupError, ValueError):
        return None
    listed = {"in": price.model_price.input_mtok, "out": price.model_price.output_mtok}
    priced = frozenset(kind for kind in KINDS if listed[kind.rpartition("_")[2]] is not None)
    return price.total_price * 1_000_000, priced
