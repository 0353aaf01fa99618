"""Several writes as one: what the scripts share that write all of them or none.

Redis takes back nothing of a script that fails in the middle. So each script looks first for what
would make one of its writes fail, answers that as an error, and has then written nothing.
"""

from __future__ import annotations

Write = tuple[str, list[str]]
"""A key, and a command with its arguments."""

BROKEN = "BROKEN"
"""The code of an error that names a key, perhaps a field, and what is wrong with it."""

WRITES = """
-- Beside commands of Redis: PERSON keeps a person's salt and pseudonym, or the ones that are there.
-- XENTRY adds the next entry of a record, by that person where it has one. XADDLINE adds a line to
-- a stream that keeps its lines for so many seconds. ZADDNOW adds with the server's time as the
-- score. HINCRBY is of a counter, which is never below 0; one that has expired or was deleted stays
-- so unless it grows.
local types = {Z = 'zset', H = 'hash', X = 'stream', I = 'string', P = 'string'}
local last_ids, person = {}, ''
local function broken(key, field, why)
  local name = field and key .. ' ' .. field or key
  return redis.error_reply('BROKEN ' .. name .. ' ' .. why)
end
local function whole(text)  -- the number that a text is for Redis, and exactly for Lua; or nil
  local number = (text == '0' or string.match(text, '^%-?[1-9]%d*$')) and tonumber(text)
  return number and math.abs(number) < 2 ^ 53 and number or nil
end
local function obstacle_of_type(key, wanted)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= wanted then
    return broken(key, nil, 'is of another type: ' .. found .. ' instead of ' .. wanted)
  end
end
local function last_number(key)  -- the first part of the last id of a stream
  if not last_ids[key] then
    last_ids[key] = 0
    local told = redis.call('EXISTS', key) == 1 and redis.call('XINFO', 'STREAM', key) or {}
    for i = 1, #told, 2 do
      if told[i] == 'last-generated-id' then
        last_ids[key] = tonumber(string.match(told[i + 1], '^%d+'))
      end
    end
  end
  return last_ids[key]
end
local function obstacle_to_count(key, field, by, numbers)  -- or nil, and what it would leave
  local name = cjson.encode({key, field or ''})
  local before = numbers[name]
  if not before then
    before = field and redis.call('HGET', key, field) or not field and redis.call('GET', key)
    before = whole(before or '0')
    if not before then return broken(key, field, 'is no whole number, or too large') end
  end
  local left = before + by
  if math.abs(left) >= 2 ^ 53 then return broken(key, field, 'is too large') end
  numbers[name] = field and math.max(0, left) or left
  return nil, numbers[name]
end
-- The error reply for the first write that would fail, or nil. `offset` keys are before theirs;
-- `judge`, where there is one, is told what each counting write would leave.
local function obstacle_to(writes, offset, judge)
  local known, numbers = {}, {}
  for i, write in ipairs(writes) do
    local command, key = write[1], KEYS[offset + i]
    local wanted = types[string.sub(command, 1, 1)]
    local obstacle = wanted and known[key] ~= wanted and obstacle_of_type(key, wanted)
    if obstacle then return obstacle end
    known[key] = wanted or known[key]
    if wanted == 'stream' and last_number(key) > (command == 'XENTRY' and 2 ^ 52 or 2 ^ 63) then
      return broken(key, nil, 'takes no more entries: its last id is too high')
    end
    if command == 'HINCRBY' or command == 'INCRBY' then
      local by = tonumber(write[#write])
      local field = command == 'HINCRBY' and write[2] or nil
      local left
      obstacle, left = obstacle_to_count(key, field, by, numbers)
      if obstacle then return obstacle end
      if judge then judge(i, left, by >= 0) end
    end
  end
end
local function count(key, field, by)
  if tonumber(by) <= 0 and redis.call('HEXISTS', key, field) == 0 then return end
  if redis.call('HINCRBY', key, field, by) < 0 then redis.call('HSET', key, field, '0') end
end
local function write_one(key, write)
  if write[1] == 'HINCRBY' then
    count(key, write[2], write[3])
  elseif write[1] == 'XADDLINE' then
    local oldest = string.format('%.0f', (redis.call('TIME')[1] - write[2]) * 1000)
    redis.call('XADD', key, 'MINID', '~', oldest, '*', 'line', write[3])
    redis.call('EXPIRE', key, write[2])
  elseif write[1] == 'PERSON' then
    local kept = redis.call('GET', key) or write[2]
    redis.call('SET', key, kept, 'EX', write[3])
    person = string.match(kept, ' (.*)') or ''
  elseif write[1] == 'XENTRY' then
    last_ids[key] = last_number(key) + 1
    local id = string.format('%.0f-0', last_ids[key])
    redis.call('XADD', key, id, 'body', write[2], 'person', write[3] == '1' and person or '')
  elseif write[1] == 'ZADDNOW' then
    local time = redis.call('TIME')
    redis.call('ZADD', key, string.format('%d.%06d', time[1], time[2]), write[2])
  else
    redis.call(write[1], key, unpack(write, 2))
  end
end
local function write_all(writes, offset)
  for i, write in ipairs(writes) do write_one(KEYS[offset + i], write) end
end
"""

WRITE_IF_UNCHANGED = (
    WRITES
    + """
-- KEYS: a hash, then the key of each write
-- ARGV: a field, its value as it was read, the writes as JSON ([command, arguments...] each)
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
local writes = cjson.decode(ARGV[3])
local obstacle = obstacle_to(writes, 1)
if obstacle then return obstacle end
write_all(writes, 1)
return 1
"""
)
