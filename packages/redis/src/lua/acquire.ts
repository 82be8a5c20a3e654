import { tokenSpacing } from '@locks/core/backend'
import { clock, prelude } from './prelude.ts'

/** What `there` says of a name that nobody has: it is taken, in as little as it takes, and `digits` is the token. */
const take = `
  local token = us
  if there[2] then token = math.max(us, there[2] + ${tokenSpacing}) end
  local digits = string.format('%.0f', token)
  redis.call('HSET', key, 't', digits, 'n', '1', '#' .. id, 'h e 1 ' .. digits .. ' ' .. now .. ' ' .. ARGV[1],
    '=' .. id, beat, '@' .. id, ARGV[4])
  redis.call('PEXPIRE', key, remember)
`

/** The general way: `raw`, `value`, `weight` and `limit` are what is asked for beyond the rest. */
const enter = `
local function enter(key, id, how)
  local mode = string.sub(how, 1, 1)
  local wait, steal = string.sub(how, 2, 2) == '1', string.sub(how, 3, 3) == '1'

  local s, record, earlier = load(key, id)
  if record then
    -- Asked again, because the answer did not arrive: it finds itself.
    local state, _, taken, number = parse(record)
    if till(earlier) > now then
      redis.call('HSET', key, '=' .. id, beat)
      if s.x > expires then redis.call('HSET', key, 'x', expires) end
      keep(key)
      if state == 'h' then return 1, number end
      return 0, math.max(0, s.x - now)
    end
    drop(s, id, state, taken, number)
  end

  if s.n + s.c > 0 then settle(s) end
  local function leave(code, about)
    if s.changed then save(s) end
    return code, about
  end
  if s.n + s.c > 0 and s.l ~= limit then return leave(-2, s.l) end

  local free = s.c == 0 and admits(s, mode, weight)
  if s.n + s.c == 0 then
    s.w, s.l, s.x, s.h, s.q = 0, limit, expires, 1, 0
    free = true
  end
  if not (free or steal or wait) then return leave(-1, 0) end

  if steal then
    each(s, function(other, upto, state, _, taken, number, _, client)
      if state ~= 'h' then return end
      drop(s, other, state, taken, number)
      redis.call('HSET', key, '!' .. other, upto)
      tell(client, '-' .. other)
    end)
  end

  s.x = math.min(s.x, expires)
  local token
  local entry
  if free or steal then
    token = take(s, mode, weight)
    entry = holding(mode, weight, token, me)
  else
    s.c = s.c + 1
    s.q = s.q + 1
    entry = 'w ' .. mode .. ' ' .. weight .. ' ' .. s.q .. ' ' .. whole(now) .. ' ' .. me
    redis.call('HSET', key, s.q, id)
  end
  save(s, '#' .. id, entry, '=' .. id, beat, '@' .. id, ARGV[4])
  if value then
    redis.call('HSET', key, '$' .. id, value)
    if token then announce(key) end
  end
  if raw ~= '' then redis.call('HSET', key, 'a', raw) end
  keep(key)
  if steal then
    -- What the robbed leave may be enough for others too.
    settle(s)
    if s.changed then save(s) end
  end
  if token then return 1, token end
  return 0, math.max(0, s.x - now)
end
`

/**
 * KEYS: the name's key. ARGV: client, stamp, id, label, how; and where that is not for an exclusive lock with a short
 * name and without a value: the encoded name or '', weight, limit, value. `how`: mode, whether to wait, whether to steal, a character each.
 * Answers: a token, granted; or 1 granted, and the token; 0 queued, and ms until somebody may have expired; -1 refused; -2
 * another kind, and its limit; then what else it means for the caller.
 */
export const acquire = `
local key, id, how, raw = KEYS[1], ARGV[3], ARGV[5], ARGV[6] or ''
local value = ARGV[9]
${clock}
local expires = now + ttl
local beat = expires .. ' ' .. ARGV[2]

-- The way of nearly all: an exclusive lock without a value, and nobody is there.
if string.sub(how, 1, 1) == 'e' and raw == '' and not value then
  local there = redis.call('HMGET', key, 'n', 't')
  if not there[1] then
    ${take}
    return digits
  end
end
${prelude}
local weight, limit = tonumber(ARGV[7] or 1), tonumber(ARGV[8] or 0)
${enter}
local code, about = enter(key, id, how)
return { code, about, publish() }
`

/**
 * KEYS: names' keys. ARGV: client, stamp, nothing, label; then for each key an id and a how, of exclusive locks with short
 * names and without a value. Answers for each key as `acquire` does, or with -3 and an error about this key; and with what
 * it all means for the caller.
 */
export const acquireSeveral = `
local raw, value, weight, limit = '', nil, 1, 0
${clock}
local expires = now + ttl
local beat = expires .. ' ' .. ARGV[2]
local answers, left = {}, {}

for i, key in ipairs(KEYS) do
  local id = ARGV[2 * i + 3]
  -- What somebody else keeps at one of them must cost the other names nothing.
  local there = redis.pcall('HMGET', key, 'n', 't')
  if there.err then
    answers[i] = { -3, there.err }
  elseif there[1] then
    left[#left + 1] = i
  else
    ${take}
    answers[i] = digits
  end
end
local told = ''
if #left > 0 then
  ${prelude}
  ${enter}
  for _, i in ipairs(left) do answers[i] = { enter(KEYS[i], ARGV[2 * i + 3], ARGV[2 * i + 4]) } end
  told = publish()
end
answers[#KEYS + 1] = told
return answers
`
