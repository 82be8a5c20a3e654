import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { wired, type Harness } from '@locks/core/conformance'
import { sqlite } from '@locks/sqlite'

/** One file for all cases of a run; `end` deletes it. */
export function sqliteHarness(): Harness & { end(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'locks-sqlite-'))
  const path = join(folder, 'locks.db')
  const backend = sqlite({ path })
  return {
    backend: 'sqlite',
    capabilities: backend.capabilities,
    ttl: 1_500,
    open: () => sqlite({ path }),
    openWired: () => wired(sqlite({ path })),
    evict(namespace, name) {
      const db = new DatabaseSync(path)
      // Other connections may be writing, and none of them for long.
      db.exec('PRAGMA busy_timeout = 5000')
      db.prepare('DELETE FROM entry WHERE name = ? AND token IS NOT NULL').run(`${namespace}/${name}`)
      db.close()
      return Promise.resolve()
    },
    child: {
      url: `sqlite:${pathToFileURL(path).pathname}`,
      adapter: new URL('../src/index.ts', import.meta.url).href,
      execArgv: ['--conditions=@locks/source', '--disable-warning=ExperimentalWarning'],
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  }
}
