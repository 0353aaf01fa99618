"""Whether everything outside is as the program needs it: `python -m bot check`, and at start-up.

Each check answers a `Finding`: what was looked at, how it is, and what to do about it.
"""

from bot.ops.doctor.finding import Finding, Verdict
from bot.ops.doctor.models import check_models
from bot.ops.doctor.prices import check_prices
from bot.ops.doctor.redis import check_redis
from bot.ops.doctor.refused import check_refused
from bot.ops.doctor.slack import check_app_token, check_scopes, check_signing, identify

__all__ = [
    "Finding",
    "Verdict",
    "check_app_token",
    "check_models",
    "check_prices",
    "check_redis",
    "check_refused",
    "check_scopes",
    "check_signing",
    "identify",
]
