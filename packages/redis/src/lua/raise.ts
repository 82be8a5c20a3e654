/** KEYS: a name's key. ARGV: a token. Every later token of the name is larger than that one. */
export const raise = `
local key, least = KEYS[1], ARGV[1]
local last = redis.call('HGET', key, 't')
if not last or tonumber(last) < tonumber(least) then redis.call('HSET', key, 't', least) end
-- The key outlives whatever others have in it, who may have a longer ttl.
redis.call('PEXPIRE', key, math.max(redis.call('PTTL', key), tonumber(remember)))
return 1
`
