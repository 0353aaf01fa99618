"""The store's Lua scripts. Each touches the keys of one hash tag."""

COMPARE_AND_SET = """
-- KEYS: session, user's index
-- ARGV: expected version ('' = must not exist), write id, ttl ms, now, session id,
--       then field, value, ...
-- Answers 1 when written, 0 when somebody was faster. A repeated write (the same write id, after
-- a lost answer) answers 1 without writing again.
local version = redis.call('HGET', KEYS[1], 'version')
if redis.call('HGET', KEYS[1], 'write_id') == ARGV[2] then return 1 end
if (version or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'write_id', ARGV[2], unpack(ARGV, 6))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. (ARGV[4] - ARGV[3] / 1000))
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
"""

REMOVE_IF_UNTOUCHED = """
-- KEYS: the unfinished list; ARGV: session id, the score that was read
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) == tonumber(ARGV[2]) then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
"""
