import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { absences, conformance, declaredAbsent, reportTo, wired, type Harness } from '@locks/core/conformance'
import { sqlite } from '@locks/sqlite'
import { afterAll, describe, expect, test } from 'vitest'

describe('sqlite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'locks-sqlite-'))
  const path = join(folder, 'locks.db')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const backend = sqlite({ path })
  const harness: Harness = {
    backend: 'sqlite',
    capabilities: backend.capabilities,
    ttl: 1_500,
    open: () => backend,
    openWired: () => wired(backend),
    async evict(namespace, name) {
      const db = new DatabaseSync(path)
      db.exec('PRAGMA busy_timeout = 5000')
      db.prepare('DELETE FROM entry WHERE name = ? AND token IS NOT NULL').run(`${namespace}/${name}`)
      db.close()
      await Promise.resolve()
    },
    child: { url: `sqlite:${path}`, adapter: new URL('../src/index.ts', import.meta.url).href },
  }
  const report = reportTo(fileURLToPath(new URL('../../../.reports/conformance/sqlite.jsonl', import.meta.url)))

  conformance({ test, harness, report })

  test('declares absent what it may, and nothing else', () => {
    expect(absences(harness.capabilities)).toEqual(declaredAbsent.sqlite)
  })
})
