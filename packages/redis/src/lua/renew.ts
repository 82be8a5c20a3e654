import { clock, prelude } from './prelude.ts'

/**
 * KEYS: names' keys. ARGV: client, stamp, then for each key how many ids and the ids.
 * Answers with one number an id: its token, 0 while it waits, -1 if it is gone, -2 if it was stolen; with one a key: ms
 * until somebody may have expired, -1 if nobody waits; and with what else it means for the caller.
 */
export const renew = `${clock}${prelude}
local expires = now + ttl
local beat = whole(expires) .. ' ' .. ARGV[2]
local standings, lefts = {}, {}
local at = 3
for _, key in ipairs(KEYS) do
  local count = tonumber(ARGV[at])
  -- The first write, because it needs no memory: Redis refuses a script for want of it before the first write only.
  keep(key)
  local s = load(key, '')
  local fields = {}
  for i = at + 1, at + count do
    fields[#fields + 1] = '#' .. ARGV[i]
    fields[#fields + 1] = '=' .. ARGV[i]
    fields[#fields + 1] = '!' .. ARGV[i]
  end
  local found = redis.call('HMGET', key, unpack(fields))
  local kept, waits = {}, false
  for i = 1, #found, 3 do
    local record, id = found[i], ARGV[at + (i + 2) / 3]
    local state, weight, number, _
    if record then state, _, weight, number = parse(record) end
    if record and till(found[i + 1]) > now then
      kept[#kept + 1] = '=' .. id
      kept[#kept + 1] = beat
      waits = waits or state == 'w'
      standings[#standings + 1] = state == 'h' and number or 0
    else
      if record then drop(s, id, state, weight, number) end
      clear(key, id)
      standings[#standings + 1] = found[i + 2] and -2 or -1
    end
  end
  if #kept > 0 then redis.call('HSET', key, unpack(kept)) end
  -- All that are there have been renewed; or the clock was put back, and the bound would be too late.
  if s.x > 0 and #kept > 0 and (#kept == 2 * (s.n + s.c) or expires < s.x) then
    s.x = expires
    s.changed = true
  end
  if waits or s.changed and s.c > 0 then settle(s) end
  if s.changed then save(s) end
  lefts[#lefts + 1] = s.c > 0 and math.max(0, s.x - now) or -1
  at = at + 1 + count
end
return { standings, lefts, publish() }
`
