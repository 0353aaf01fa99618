"""The scripts of `RedisProviderSlots`: each is one step with the slots, or with the pause."""

from __future__ import annotations

TAKE = """
-- KEYS: what all slots begin with, the pause
-- ARGV: lease, how many slots there are (0: no limit), ttl ms
-- Answers the slot, 0 where there is no limit; -1 where all are taken, -2 in a pause.
if redis.call('EXISTS', KEYS[2]) == 1 then return -2 end
local slots = tonumber(ARGV[2])
if slots == 0 then return 0 end
for n = 1, slots do
  if redis.call('SET', KEYS[1] .. n, ARGV[1], 'NX', 'PX', ARGV[3]) then return n end
end
return -1
"""

RENEW = """
-- KEYS: the slots; ARGV: ttl ms, the lease of each
-- One whose lease has ended is taken again, unless another has it. A full server renews as well.
for n, key in ipairs(KEYS) do
  local holder = redis.call('GET', key)
  if holder == ARGV[n + 1] then
    redis.call('PEXPIRE', key, ARGV[1])
  elseif not holder then
    redis.pcall('SET', key, ARGV[n + 1], 'PX', ARGV[1])
  end
end
return 0
"""

PAUSE = """
-- KEYS: the pause; ARGV: ms. Answers whether it is longer than the one that there is.
if redis.call('PTTL', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return 1
"""

GIVE_BACK = """
-- KEYS: slots; ARGV: leases, each of which may have any of the slots
local leases = {}
for _, lease in ipairs(ARGV) do leases[lease] = true end
for _, key in ipairs(KEYS) do
  if leases[redis.call('GET', key) or ''] then redis.call('DEL', key) end
end
return 0
"""
