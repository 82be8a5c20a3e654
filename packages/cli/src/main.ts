#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { cacheFolder } from './store/folders.ts'

// Everything else comes after this line, so that it is compiled once and not at every start.
enableCompileCache(process.env.NODE_COMPILE_CACHE || cacheFolder(process.env))
const { main } = await import('./cli.ts')
await main(process.argv.slice(2))
