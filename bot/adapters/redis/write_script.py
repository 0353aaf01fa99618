"""The Lua of the writes that every commit has: to the books, the record and all else."""

ADD = """
local function add(key, field, by)  -- to a counter; one that has expired or was deleted stays so
  if tonumber(by) < 0 and redis.call('HEXISTS', key, field) == 0 then return end
  if redis.call('HINCRBY', key, field, by) < 0 then redis.call('HSET', key, field, '0') end
end
local function add_line(key, ttl, line)  -- to a stream that keeps its lines for so many seconds
  local oldest = string.format('%.0f', (redis.call('TIME')[1] - ttl) * 1000)
  redis.call('XADD', key, 'MINID', '~', oldest, '*', 'line', line)
  redis.call('EXPIRE', key, ttl)
end
"""

WRITES = (
    ADD
    + """
-- Writes of a commit. Two commands are the record's own: PERSON keeps a person's salt and
-- pseudonym, or the ones that are there; XENTRY adds the next entry, by that person where it has
-- one. ZADDNOW adds with the server's time as the score.
local numbered, person = {}, ''
local function last_number(key)
  if not numbered[key] then
    numbered[key] = 0
    local told = redis.call('EXISTS', key) == 1 and redis.call('XINFO', 'STREAM', key) or {}
    for i = 1, #told, 2 do
      if told[i] == 'last-generated-id' then
        numbered[key] = tonumber(string.match(told[i + 1], '^%d+'))
      end
    end
  end
  return numbered[key]
end
local types = {Z = 'zset', H = 'hash', X = 'stream', I = 'string', P = 'string'}
local function fits(writes, offset)  -- whether each write's key is of its type, or new
  local known = {}
  for i, write in ipairs(writes) do
    local wanted = types[string.sub(write[1], 1, 1)]
    local key = KEYS[offset + i]
    known[key] = known[key] or wanted and redis.call('TYPE', key).ok
    if wanted and known[key] ~= 'none' and known[key] ~= wanted then return false end
    if write[1] == 'XENTRY' and last_number(key) > 2 ^ 52 then return false end
  end
  return true
end
local function write_one(key, write)
  if write[1] == 'HINCRBY' then
    add(key, write[2], write[3])
  elseif write[1] == 'XADDLINE' then
    add_line(key, write[2], write[3])
  elseif write[1] == 'PERSON' then
    local kept = redis.call('GET', key) or write[2]
    redis.call('SET', key, kept, 'EX', write[3])
    person = string.match(kept, ' (.*)') or ''
  elseif write[1] == 'XENTRY' then
    numbered[key] = last_number(key) + 1
    local id = string.format('%.0f-0', numbered[key])
    redis.call('XADD', key, id, 'body', write[2], 'person', write[3] == '1' and person or '')
  elseif write[1] == 'ZADDNOW' then
    local time = redis.call('TIME')
    redis.call('ZADD', key, string.format('%d.%06d', time[1], time[2]), write[2])
  else
    redis.call(write[1], key, unpack(write, 2))
  end
end
"""
)
