#!/usr/bin/env node
import module from 'node:module'
import { exitCodes } from './exit-codes.ts'
import { cacheFolder } from './store/folders.ts'

if (typeof Promise.withResolvers !== 'function') {
  console.error(`locks: Node.js 22.13 or newer is needed; this is ${process.version}`)
  process.exit(exitCodes.usage)
}
// Everything else comes after this line, so that it is compiled once and not at every start.
try {
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE || cacheFolder(process.env))
} catch {
  // A user without a home has no such folder: it only takes longer.
}
const { main } = await import('./cli.ts')
await main(process.argv.slice(2))
