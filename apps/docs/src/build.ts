/** `pnpm docs:build`: the site, into apps/docs/dist. */
import { build } from 'vitepress'
import { writeReference } from './api.ts'
import { assemble } from './assemble.ts'
import { docs, dist } from './files.ts'

assemble()
await writeReference()
await build(docs)
console.log(`docs: ${dist}`)
