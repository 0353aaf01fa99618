"""The store's Lua scripts. Each touches the keys of one workspace."""

COMMIT = """
-- KEYS: the session, then the keys of the other writes
-- ARGV: expected version ('' = must not exist), write id, ttl ms, the other writes as JSON
--       ([command, index in KEYS, arguments...] each), then field, value, ... of the session
-- Answers 1 when all is written, 0 when somebody was faster. A repeated commit (the same write id,
-- after a lost answer) answers 1 without writing again.
local version = redis.call('HGET', KEYS[1], 'version')
if redis.call('HGET', KEYS[1], 'write_id') == ARGV[2] then return 1 end
if (version or '') ~= ARGV[1] then return 0 end
local writes = cjson.decode(ARGV[4])
for _, write in ipairs(writes) do  -- a key of another type ends it before anything is written
  if string.sub(write[1], 1, 1) == 'Z' then redis.call('ZCARD', KEYS[write[2]]) end
end
redis.call('HSET', KEYS[1], 'write_id', ARGV[2], unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
for _, write in ipairs(writes) do
  redis.call(write[1], KEYS[write[2]], unpack(write, 3))
end
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
