/**
 * `pnpm bench:page [FILE]`: keeps what a full run came to as docs/bench.json, its charts as docs/bench.html, and puts it into
 * docs/bench.md, between its two marks. FILE is .reports/bench/bench.json unless said otherwise.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { html } from './report/html.ts'
import { markdown } from './report/markdown.ts'
import type { Result } from './result.ts'

const [file = '.reports/bench/bench.json'] = process.argv.slice(2)
const page = 'docs/bench.md'
const [begin, end] = ['<!-- measured -->', '<!-- end of measured -->']

const json = readFileSync(file, 'utf8')
const result = JSON.parse(json) as Result
if (result.quick) throw new Error('a quick run measures nothing')
const [before = '', rest = ''] = readFileSync(page, 'utf8').split(begin)
const [, after = ''] = rest.split(end)
writeFileSync(page, `${before}${begin}\n\n${markdown(result)}\n\n${end}${after}`)
writeFileSync('docs/bench.json', json)
writeFileSync('docs/bench.html', html(result))
console.log(`${page}: ${result.tables.length} tables`)
