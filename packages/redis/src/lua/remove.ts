import { clock, prelude } from './prelude.ts'

/**
 * KEYS: names' keys. ARGV: client, then for each key how many ids and the ids. Answers with one number an id, 1 if it was
 * there, or with an error about its key, and with what else it means for the caller; or, where all were there and nobody
 * else, with a 1 alone.
 */
export const remove = `
local found, left = {}, {}
local at, total = 2, 0

-- The way of nearly all: who took it while nobody was there, and nobody has come since. In as little as it takes.
for i = 1, #KEYS do
  local key, count, done = KEYS[i], tonumber(ARGV[at]), false
  if count == 1 then
    local id = ARGV[at + 1]
    local there = redis.pcall('HMGET', key, 'n', 'w', '#' .. id)
    if there.err then
      if #KEYS == 1 then return there end
      found[total + 1] = there.err
      done = true
    elseif there[1] and not there[2] and there[3] then
      redis.call('HDEL', key, 'n', '#' .. id, '=' .. id, '@' .. id)
      found[total + 1] = 1
      done = true
    end
  end
  if not done then left[#left + 1] = { key, count, at, total } end
  at, total = at + 1 + count, total + count
end
if #left == 0 then
  for i = 1, total do
    if found[i] ~= 1 then return { found, '' } end
  end
  return 1
end
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
