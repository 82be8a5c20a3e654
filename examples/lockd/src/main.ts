/** `node src/main.ts [--port 7460] [--grace 60000]`: the server. */
import { parseArgs } from 'node:util'
import { longestTtl } from './backend.ts'
import { serve } from './server.ts'

const { values } = parseArgs({ options: { port: { type: 'string' }, grace: { type: 'string' } } })
// Whoever held a lock of the process before this one has lost it after the longest ttl.
const port = await serve(Number(values.port ?? 7460), Number(values.grace ?? longestTtl))
console.log(`lockd://127.0.0.1:${port}`)
