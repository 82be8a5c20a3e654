import { clock, prelude } from './prelude.ts'

/** Whether `there` says that its only holder took it while nobody was there, and nobody has come since. */
const alone = `there[1] and not there[2] and there[3]`
/** Then it is let go of, in as little as it takes. */
const leave = `redis.call('HDEL', key, 'n', '#' .. id, '=' .. id, '@' .. id)`

/**
 * KEYS: names' keys. ARGV: client, then for each key how many ids and the ids. Answers with one number an id, 1 if it was
 * there, or with an error about its key, and with what else it means for the caller; or with a 1 alone where all were there,
 * and it means nothing else.
 */
export const remove = `
-- The way of nearly all.
if #KEYS == 1 and ARGV[2] == '1' then
  local key, id = KEYS[1], ARGV[3]
  local there = redis.call('HMGET', key, 'n', 'w', '#' .. id)
  if ${alone} then
    ${leave}
    return 1
  end
end

local found, left = {}, {}
local at, total, all = 2, 0, true
for _, key in ipairs(KEYS) do
  local count, id = tonumber(ARGV[at]), ARGV[at + 1]
  local there = #KEYS > 1 and count == 1 and redis.pcall('HMGET', key, 'n', 'w', '#' .. id) or {}
  if there.err then
    found[total + 1] = there.err
    all = false
  elseif ${alone} then
    ${leave}
    found[total + 1] = 1
  else
    left[#left + 1] = { key, count, at, total }
  end
  at, total = at + 1 + count, total + count
end
if #left == 0 then return all and 1 or { found, '' } end
${clock}${prelude}
for _, rest in ipairs(left) do
  local key, count, at, before = unpack(rest)
  local s, record
  for i = 1, count do
    local id = ARGV[at + i]
    if s then
      record = redis.call('HGET', key, '#' .. id)
    else
      s, record = load(key, id)
    end
    if record then
      local state, _, weight, number = parse(record)
      drop(s, id, state, weight, number)
      found[before + i] = 1
    else
      clear(key, id)
      found[before + i] = 0
    end
  end
  -- After all of them: one that is to go must not be granted first.
  if s.changed then
    if s.c > 0 then settle(s) end
    save(s)
  end
end
return { found, publish() }
`
