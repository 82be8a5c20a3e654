import { clock } from './prelude.ts'

/** KEYS: a name's key. Answers with the server's time and everything there is. */
export const query = `${clock}
return { now, redis.call('HGETALL', KEYS[1]) }
`
