#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { cacheFolder } from './store/folders.ts'

// Everything else comes after this line, so that it is compiled once and not at every start.
try {
  enableCompileCache(process.env.NODE_COMPILE_CACHE || cacheFolder(process.env))
} catch {
  // A user without a home has no such folder: it only takes longer.
}
const { main } = await import('./cli.ts')
await main(process.argv.slice(2))
