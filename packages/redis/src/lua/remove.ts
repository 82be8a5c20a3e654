import { clock, prelude } from './prelude.ts'

/**
 * KEYS: names' keys. ARGV: client, then for each key how many ids and the ids. Answers with one number an id, 1 if it was
 * there, and with what else it means for the caller; or, for the only id there is, with a 1 alone.
 */
export const remove = `
-- The way of nearly all: who took it while nobody was there, and nobody has come since. In as little as it takes.
if #KEYS == 1 and ARGV[2] == '1' then
  local key, id = KEYS[1], ARGV[3]
  local there = redis.call('HMGET', key, 'n', 'w', '#' .. id)
  if there[1] and not there[2] and there[3] then
    redis.call('HDEL', key, 'n', '#' .. id, '=' .. id, '@' .. id)
    return 1
  end
end
${clock}${prelude}
local found = {}
local at = 2
for _, key in ipairs(KEYS) do
  local count = tonumber(ARGV[at])
  local s, record
  for i = at + 1, at + count do
    local id = ARGV[i]
    if s then
      record = redis.call('HGET', key, '#' .. id)
    else
      s, record = load(key, id)
    end
    if record then
      local state, _, weight, number = parse(record)
      drop(s, id, state, weight, number)
      found[#found + 1] = 1
    else
      clear(key, id)
      found[#found + 1] = 0
    end
  end
  -- After all of them: one that is to go must not be granted first.
  if s.changed then
    if s.c > 0 then settle(s) end
    save(s)
  end
  at = at + 1 + count
end
return { found, publish() }
`
