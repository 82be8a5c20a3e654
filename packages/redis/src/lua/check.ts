/**
 * What comes before a guarded script: takes what is the guard's off the ends of KEYS and ARGV, and ends with an error
 * where a newer holder has been here. Tokens are compared as text, because numbers are doubles here.
 */
export const check = `
do
  local mode, token, key = table.remove(ARGV), table.remove(ARGV), table.remove(KEYS)
  local function lower(a, b)
    if #a == #b then return a < b end
    return #a < #b
  end
  local seen = redis.call('HMGET', key, 'newest', 'exclusive')
  local newest, exclusive = seen[1] or '0', seen[2] or '0'
  local bar = mode == 'exclusive' and newest or exclusive
  if lower(token, bar) then return redis.error_reply('FENCED ' .. bar) end
  if lower(newest, token) then redis.call('HSET', key, 'newest', token) end
  if mode == 'exclusive' and lower(exclusive, token) then redis.call('HSET', key, 'exclusive', token) end
end
`
