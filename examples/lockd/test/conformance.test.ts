import { absences, conformance, wired, type Harness } from '@locks/core/conformance'
import { lockd } from '@locks/example-lockd'
import { afterAll, expect, test } from 'vitest'
import { startLockd } from './server.ts'

const server = await startLockd()
afterAll(() => server.end())

const open = () => lockd({ port: server.port })
const harness: Harness = {
  backend: 'lockd',
  capabilities: open().capabilities,
  ttl: 1_000,
  open,
  openWired: () => wired(open()),
  evict: (namespace, name) => server.evict(`${namespace}/${name}`),
  child: { url: server.url, adapter: new URL('../src/index.ts', import.meta.url).href },
}

conformance({ test, harness })

test('declares absent what its page says, and nothing else', () => {
  expect(absences(harness.capabilities)).toEqual({
    fencing: 'volatile',
    steal: false,
    sets: 'ordered',
    elections: false,
    reconnects: false,
  })
})
