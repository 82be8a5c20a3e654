import { tokenSpacing } from '@locks/core/backend'

/**
 * What the scripts share. The state of a name is one hash, so that it lies in one slot, is changed in one step and
 * expires as a whole:
 *
 * | field | |
 * |---|---|
 * | `t` | the last token; it stays when everybody has left, so that the next one is larger |
 * | `n` | how many hold; nothing while nobody holds or waits |
 * | `w` `m` `l` | the weight they take together, their mode, the limit (0: no semaphore); nothing: 1 exclusive holder |
 * | `x` | nobody here expires before this; nothing: unknown |
 * | `c` `h` `q` | how many wait; the places of the first of them, or before it, and of the last |
 * | `a` | the encoded name, where the key has only its hash and somebody holds or waits |
 * | `#id` | state (`h`olds, `w`aits), mode, weight, token or place, since, client |
 * | `=id` | when the claim expires, and the stamp of the heartbeat from which that is counted |
 * | `@id` | the owner's label |
 * | `$id` | the claim's value, where it has one: those who watch the name are told when its holder comes and goes |
 * | `!id` | until when to remember that it was stolen |
 * | a number | who waits in this place |
 *
 * Times are the server's, in milliseconds. A token is the server's time in microseconds, or the last token and 64:
 * both are whole numbers below 2^53 until the year 2255, where a double is exact, and a command's argument is written
 * with all digits (Redis formats numbers with %.17g); string concatenation would round them.
 */
export const clock = `
local time = redis.call('TIME')
local us = time[1] * 1000000 + time[2]
local now = math.floor(us / 1000)
`

export const prelude = `
local me = ARGV[1]
local news = {}
local changes = {}

local function tell(client, line)
  news[client] = news[client] and news[client] .. '\\n' .. line or line
end

-- Who holds the name with a value is not who did. However often in one script, its watchers are told once.
local function announce(key)
  changes[channels .. string.match(key, '{[^{]*}$')] = true
end

-- Tells every client of what concerns it in one message; the caller learns its own with the answer.
local function publish()
  for client, lines in pairs(news) do
    if client ~= me then redis.call('PUBLISH', channels .. client, lines) end
  end
  for channel in pairs(changes) do redis.call('PUBLISH', channel, '') end
  return news[me] or ''
end

local function whole(number)
  return string.format('%.0f', number)
end

local function parse(record)
  local state, mode, weight, number, since, client = string.match(record, '^(%a) (%a) (%d+) (%d+) (%d+) (.*)$')
  return state, mode, tonumber(weight), tonumber(number), since, client
end

local function till(beat)
  local at, stamp = string.match(beat, '^(%d+) (.*)$')
  return tonumber(at), stamp
end

-- The key outlives whatever others have in it, who may have a longer ttl.
local function keep(key)
  redis.call('PEXPIRE', key, math.max(redis.call('PTTL', key), tonumber(remember)))
end

local function load(key, id)
  local f = redis.call('HMGET', key, 't', 'n', 'w', 'm', 'l', 'x', 'c', 'h', 'q', '#' .. id, '=' .. id)
  return {
    key = key,
    t = tonumber(f[1] or 0), n = tonumber(f[2] or 0), w = tonumber(f[3] or f[2] or 0), m = f[4] or 'e',
    l = tonumber(f[5] or 0), x = tonumber(f[6] or 0),
    c = tonumber(f[7] or 0), h = tonumber(f[8] or 1), q = tonumber(f[9] or 0),
  }, f[10], f[11]
end

-- Writes the counters, and the fields of an entry with them.
local function save(s, ...)
  if s.n + s.c > 0 then
    redis.call('HSET', s.key, 't', s.t, 'n', s.n, 'w', s.w, 'm', s.m, 'l', s.l, 'x', s.x,
      'c', s.c, 'h', s.h, 'q', s.q, ...)
  else
    redis.call('HDEL', s.key, 'n', 'w', 'm', 'l', 'x', 'c', 'h', 'q', 'a')
  end
  s.changed = false
end

local function drop(s, id, state, weight, number)
  if state == 'h' then
    -- Four only where there was a value.
    if redis.call('HDEL', s.key, '#' .. id, '=' .. id, '@' .. id, '$' .. id) == 4 then announce(s.key) end
    s.n = s.n - 1
    s.w = s.w - weight
  else
    redis.call('HDEL', s.key, '#' .. id, '=' .. id, '@' .. id, '$' .. id, number)
    s.c = s.c - 1
  end
  s.changed = true
end

-- What may be left of an entry that is not there: a theft to remember, or the value of one deleted by hand.
local function clear(key, id)
  redis.call('HDEL', key, '!' .. id)
  if redis.call('HDEL', key, '$' .. id) == 1 then announce(key) end
end

local function admits(s, mode, weight)
  if mode == 'e' then return s.n == 0 end
  if mode == 's' then return s.n == 0 or s.m == 's' end
  return s.w + weight <= s.l
end

-- Makes a contender a holder; its token.
local function take(s, mode, weight)
  s.t = math.max(s.t + ${tokenSpacing}, us)
  s.n = s.n + 1
  s.w = s.w + weight
  s.m = mode
  s.changed = true
  return s.t
end

local function holding(mode, weight, token, client)
  return 'h ' .. mode .. ' ' .. weight .. ' ' .. whole(token) .. ' ' .. whole(now) .. ' ' .. client
end

-- All entries of a name: reads everything, so it runs only when there is reason to think that one has expired.
local function each(s, visit)
  local records, beats = {}, {}
  local all = redis.call('HGETALL', s.key)
  for i = 1, #all, 2 do
    local kind, id = string.sub(all[i], 1, 1), string.sub(all[i], 2)
    if kind == '#' then records[id] = all[i + 1]
    elseif kind == '=' then beats[id] = all[i + 1]
    elseif kind == '!' and tonumber(all[i + 1]) <= now then redis.call('HDEL', s.key, all[i]) end
  end
  for id, record in pairs(records) do visit(id, till(beats[id]), parse(record)) end
end

-- Drops whoever has not been heard of for a ttl, wherever it stands.
local function expire(s)
  local soonest
  each(s, function(id, expires, state, mode, weight, number)
    if expires <= now then drop(s, id, state, weight, number)
    else soonest = math.min(soonest or expires, expires) end
  end)
  s.x = soonest or 0
  s.changed = true
end

-- Who waits in the first place that is taken.
local function first(s)
  if s.c == 0 then return end
  for _ = 1, 50 do
    local id = redis.call('HGET', s.key, s.h)
    if id then return id end
    s.h = s.h + 1
    s.changed = true
  end
  -- So many have left that looking at all is quicker than counting up.
  local least, found
  each(s, function(id, _, state, _, _, place)
    if state == 'w' and place < (least or math.huge) then least, found = place, id end
  end)
  s.h = least or s.q + 1
  -- The truth about who waits, also if somebody has deleted fields by hand.
  if not found then s.c = 0 end
  return found
end

-- Grants whoever can be granted: from the front to the first that cannot.
local function settle(s)
  if now >= s.x then expire(s) end
  local id = first(s)
  while id do
    local f = redis.call('HMGET', s.key, '#' .. id, '=' .. id, '$' .. id)
    local state, mode, weight, place, _, client = parse(f[1])
    if not admits(s, mode, weight) then return end
    -- It still expires when it would have expired as a waiter: late news cannot stretch the lease.
    local expires, stamp = till(f[2])
    local token = take(s, mode, weight)
    s.c = s.c - 1
    redis.call('HSET', s.key, '#' .. id, holding(mode, weight, token, client))
    redis.call('HDEL', s.key, place)
    if f[3] then announce(s.key) end
    tell(client, '+' .. id .. ' ' .. whole(token) .. ' ' .. stamp)
    id = first(s)
  end
end
`
