"""Sessions and images in Redis (≥ 6.2) or Valkey.

`keys` names every key. A session is a hash whose fields carry the names of `bot.domain.Session`
(text as it is, everything else as JSON). An image is a string key of its own, in base64, with its
own expiry.

A session and all that changes with it are one commit: the script in `scripts` compares the version
and writes the hash, its owner's index, its thread's list and the list of the unfinished, or
nothing. All of them carry the hash tag `{team}`.
"""

from bot.adapters.redis.cancellations import RedisCancellations
from bot.adapters.redis.client import redis_client
from bot.adapters.redis.coordination import RedisHeartbeats
from bot.adapters.redis.shut_outs import RedisShutOuts
from bot.adapters.redis.signatures import RedisSignatures
from bot.adapters.redis.store import RedisSessionStore

__all__ = [
    "RedisCancellations",
    "RedisHeartbeats",
    "RedisSessionStore",
    "RedisShutOuts",
    "RedisSignatures",
    "redis_client",
]
