// Stands for every adapter: the name of the package is put in the place of @locks/redis.
import { openLocks } from '@locks/core'
import { adapter } from '@locks/redis'
import { tryOut } from './try-out.mts'

const url = process.env['LOCKS_URL'] ?? ''
if (!adapter.schemes.includes(url.slice(0, url.indexOf(':')))) throw new Error(`not the adapter of ${url}`)
await tryOut(() => openLocks(url)) // found by its name
