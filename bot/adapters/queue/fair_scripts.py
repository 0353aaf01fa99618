"""The scripts of the fair queue: each is one step of `bot.adapters.queue.fair_share`, which says
what its keys hold. Each may be repeated."""

from __future__ import annotations

STEP = 4
"""Between two tags of one owner: so many newcomers may pass before the next of them."""
RELEASED = "released"

COMMON = (
    f"local STEP = {STEP}"
    + """
local fair, jobs, attempts, released, data = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local function number(key, field) return tonumber(redis.call('HGET', key, field) or 0) end
local function next_number() return redis.call('HINCRBY', fair, 'n', 1) end
local function parked_of(owner) return fair .. ':parked:' .. owner end
local function release(id, job)
  local field, v = 'last:' .. job.owner, number(fair, 'v')
  local last = tonumber(redis.call('HGET', fair, field)) or v + 1 - STEP
  local shared = redis.call('HGET', attempts, job.attempt)
  shared = shared and cjson.decode(shared)
  local tag = shared and shared.tag or math.max(v + 1, last + STEP)
  job.shares = shared or last + STEP <= v + 1
  if job.shares then
    local n = shared and shared.n or 0
    redis.call('HSET', attempts, job.attempt, cjson.encode({tag = tag, n = n + 1}))
  end
  job.shares, job.tag, job.n = job.shares and true or nil, tag, next_number()
  redis.call('HSET', fair, field, math.max(last, tag - STEP) + STEP)
  redis.call('HINCRBY', released, job.owner, 1)
  redis.call('HSET', jobs, id, cjson.encode(job))
  return {id, math.max(1, tag - number(fair, 'base')), redis.call('HGET', data, id)}
end
local function release_next(owner, most)
  local out = {}
  while most == 0 or number(released, owner) < most do
    local id = redis.call('LPOP', parked_of(owner))
    if not id then break end
    local job = redis.call('HGET', jobs, id)
    if job then out[#out + 1] = release(id, cjson.decode(job)) end
  end
  return out
end
"""
)

ADMIT = (
    COMMON
    + """
-- KEYS[6]: the job in BullMQ, which keeps the ids of jobs that have ended
-- ARGV: job id, owner, attempt, data, most released jobs of an owner (0: no limit)
-- Answers 'released' and the priority, or 'parked' or 'ended' and 0.
local id, owner, most = ARGV[1], ARGV[2], tonumber(ARGV[5])
local known = redis.call('HGET', jobs, id)
if known then
  local job = cjson.decode(known)
  if job.tag == 0 then return {'parked', 0} end
  return {'released', math.max(1, job.tag - number(fair, 'base'))}
end
if redis.call('EXISTS', KEYS[6]) == 1 then return {'ended', 0} end
local job = {owner = owner, attempt = ARGV[3], tag = 0}
redis.call('HSET', data, id, ARGV[4])
local full = most > 0 and number(released, owner) >= most
if full or redis.call('EXISTS', parked_of(owner)) == 1 then
  job.n = next_number()
  redis.call('HSET', jobs, id, cjson.encode(job))
  redis.call('RPUSH', parked_of(owner), id)
  return {'parked', 0}
end
return {'released', release(id, job)[2]}
"""
)

BEGAN = (
    COMMON
    + """
-- ARGV: job id
local known = redis.call('HGET', jobs, ARGV[1])
if known then
  redis.call('HSET', fair, 'v', math.max(number(fair, 'v'), cjson.decode(known).tag))
  redis.call('HDEL', data, ARGV[1])
end
return 0
"""
)

ENDED = (
    COMMON
    + """
-- ARGV: job id, most released jobs of an owner (0: no limit)
-- Answers what is released now: id, priority and data of each.
local id = ARGV[1]
local known = redis.call('HGET', jobs, id)
if not known then return {} end
local job = cjson.decode(known)
redis.call('HDEL', jobs, id)
redis.call('HDEL', data, id)
if job.tag == 0 then
  redis.call('LREM', parked_of(job.owner), 1, id)
elseif redis.call('HINCRBY', released, job.owner, -1) <= 0 then
  redis.call('HDEL', released, job.owner)
end
local attempt = job.shares and redis.call('HGET', attempts, job.attempt)
if attempt then
  attempt = cjson.decode(attempt)
  if attempt.n <= 1 then
    redis.call('HDEL', attempts, job.attempt)
  else
    redis.call('HSET', attempts, job.attempt, cjson.encode({tag = attempt.tag, n = attempt.n - 1}))
  end
end
local out = release_next(job.owner, tonumber(ARGV[2]))
local last = 'last:' .. job.owner
if number(released, job.owner) == 0 and number(fair, last) <= number(fair, 'v') then
  redis.call('HDEL', fair, last)
end
if redis.call('HLEN', jobs) == 0 then redis.call('DEL', fair, attempts, released, data) end
return out
"""
)

RELEASE_NEXT = (
    COMMON
    + """
-- ARGV: owner, most released jobs of an owner (0: no limit)
return release_next(ARGV[1], tonumber(ARGV[2]))
"""
)

RESCALE = (
    COMMON
    + """
redis.call('HSET', fair, 'base', number(fair, 'v'))
return 0
"""
)
