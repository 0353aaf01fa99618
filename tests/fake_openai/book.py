"""What the fake charges for: its own sums, from the documented prices, in micro-dollars."""

from fractions import Fraction
from typing import Any, NamedTuple

TEXT_IN, IMAGE_IN, IMAGE_OUT = Fraction(5), Fraction(8), Fraction(30)
HOST_IN, HOST_OUT = Fraction(1, 5), Fraction(6, 5)
"""Dollars for a million tokens of `gpt-image-2.5-flare` and `gpt-5.6-luna`."""


class Charge(NamedTuple):
    """One call that was charged for."""

    job_id: str
    micro: int


def charge_of(job_id: str, image: Any, host: Any = None) -> Charge:
    """By the `usage` of the image model, and that of the host model."""
    taken = image["input_tokens_details"]
    amount = taken["text_tokens"] * TEXT_IN + taken["image_tokens"] * IMAGE_IN
    amount += image["output_tokens"] * IMAGE_OUT
    if host:
        amount += host["input_tokens"] * HOST_IN + host["output_tokens"] * HOST_OUT
    return Charge(job_id, int(amount + Fraction(1, 2)))
