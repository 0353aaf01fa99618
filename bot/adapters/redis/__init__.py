"""Sessions and images in Redis (≥ 6.2) or Valkey.

A session is a hash whose fields carry the names of `bot.domain.session.Session` (text as it is,
everything else as JSON). An image is a string key of its own, in base64, with its own expiry. A
session and all that changes with it are one commit: a script compares the version and writes the
hash, its owner's index, its thread's list and the list of the unfinished, or nothing.

schema                 every key
session_fields         how a session and a question are written
commit                 the writes of a commit, and its script
unfinished             `UnfinishedLists`: the sessions that are owed a job
command_batches        `CommandBatches`: commands of one moment share a round trip
recent_sessions        `RecentSessions`: those that this process read or wrote last
atomic_writes          what the scripts share that write all of their writes or none
session_writer         `SessionWriter`: each session is written with all that changes with it
store                  `RedisSessionStore`
books                  `RedisBooks`: holds, the ledger, the counters of days and months
book_entries           holds and lines of the books as JSON
limit_settings         `RedisLimitSettings`: the limits that admins set in Slack
notices                `RedisNotices`: which notices about limits were told
questions              `RedisQuestions`: what people are asked before anything is paid for
image_bytes            `ImageBytes`: how many bytes one person's images and pictures may be
pictures               `RedisPictures`: what people bring, once for each file
coordination           what the processes tell one another: heartbeats, cancellations,
                       Slack's refusals; and whether Redis takes changes
pace                   `RedisRateLimiter`: Slack's rate limits, kept by all processes together
pace_scripts           a budget and the calls that wait for it, in Redis
own_pace               `LocalRateLimiter`: the same in one process, while Redis is away
provider_slots         `RedisProviderSlots`: how many calls the provider gets at a time, and
                       its pauses
provider_slot_scripts  one step each with the slots or the pause
lease                  `Lease`: one of several processes holds something for a time
server_claim           `RedisServerClaim`: whose bot uses the server
refused_settings       what servers of images refuse
record_schema          the keys, entries, seals and floor of the record
record                 `RedisRecord`: the record as it is appended to, sealed, trimmed and read
record_reader          `RecordReader`: reads the record of a workspace
server                 the client, what operations ask of the server, the signatures of requests
key_scan               the names of keys, read in parts
json_text              JSON as Redis keeps it
"""

from bot.adapters.redis.books import RedisBooks
from bot.adapters.redis.coordination import (
    REFUSED,
    RedisAppBlockedStore,
    RedisCancellations,
    RedisHeartbeats,
    WriteProbe,
)
from bot.adapters.redis.limit_settings import RedisLimitSettings
from bot.adapters.redis.notices import RedisNotices
from bot.adapters.redis.pace import RedisRateLimiter
from bot.adapters.redis.pictures import RedisPictures
from bot.adapters.redis.provider_slots import RedisProviderSlots
from bot.adapters.redis.record import RedisRecord
from bot.adapters.redis.record_schema import RecordPolicy
from bot.adapters.redis.refused_settings import RedisRefusedSettings
from bot.adapters.redis.server import RedisServer, RedisSignatures, redis_client
from bot.adapters.redis.server_claim import RedisServerClaim
from bot.adapters.redis.store import RedisSessionStore

__all__ = [
    "REFUSED",
    "RecordPolicy",
    "RedisAppBlockedStore",
    "RedisBooks",
    "RedisCancellations",
    "RedisHeartbeats",
    "RedisLimitSettings",
    "RedisNotices",
    "RedisPictures",
    "RedisProviderSlots",
    "RedisRateLimiter",
    "RedisRecord",
    "RedisRefusedSettings",
    "RedisServer",
    "RedisServerClaim",
    "RedisSessionStore",
    "RedisSignatures",
    "WriteProbe",
    "redis_client",
]
