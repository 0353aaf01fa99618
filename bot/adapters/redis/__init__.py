"""Sessions and images in Redis (≥ 6.2) or Valkey.

`keys` names every key. A session is a hash whose fields carry the names of `bot.domain.Session`
(text as it is, everything else as JSON), written only by the compare-and-set script in `scripts`.
An image is a string key of its own, in base64, with its own expiry.

A session's key and the index of its user's sessions share the hash tag `{team.user}`, so one
script may write both on a cluster too. The list of unfinished sessions and those of threads live
in other slots: a session is put on them *before* the change that makes it owe a job or that names
its thread, and taken off the first only by who finds that it owes none, so a crash between the two
leaves an entry too many and never one too few.
"""

from bot.adapters.redis.cancellations import RedisCancellations
from bot.adapters.redis.client import redis_client
from bot.adapters.redis.heartbeats import RedisHeartbeats
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
