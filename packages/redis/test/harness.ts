import { fileURLToPath } from 'node:url'
import type { Backend, Session } from '@locks/core/backend'
import { absences, conformance, declaredAbsent, reportTo, type Harness, type Wire } from '@locks/core/conformance'
import { startProxy, type Proxy, type ProxyLine } from '@locks/testkit'
import type { Cluster, Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'

/** One deployment of Redis under test. */
export interface Form {
  /** What the tables call it. */
  readonly backend: keyof typeof declaredAbsent
  /** What clients connect to, without a proxy. */
  readonly url: string
  open(): Backend
  /** The ports of the servers that hold locks. */
  readonly ports: readonly number[]
  /** A backend that reaches those servers by other ports, in the same order. */
  openThrough(ports: readonly number[]): Backend
  /** A client that may do everything. */
  readonly admin: Redis | Cluster
  end(): Promise<void>
}

/** Tests that a form keeps the contract, and what it declares of it. `report` is the name of a column of the table. */
export async function holdToContract(title: string, form: Form, report?: string): Promise<void> {
  const proxy = await startProxy()
  afterAll(async () => {
    await proxy.end()
    await form.end()
  })
  const harness = harnessOf(form, proxy)
  const file = report && fileURLToPath(new URL(`../../../.reports/conformance/${report}.jsonl`, import.meta.url))
  describe(`${title} keeps the contract`, () => {
    conformance({ test, harness, ...(file && { report: reportTo(file) }) })

    test('declares absent what it may, and nothing else', () => {
      expect(absences(harness.capabilities)).toEqual(declaredAbsent[form.backend])
    })
  })
}

/** What the cases need of a form. */
export function harnessOf(form: Form, proxy: Proxy): Harness {
  return {
    backend: form.backend,
    capabilities: form.open().capabilities,
    ttl: 1_500,
    open: () => form.open(),
    async openWired() {
      const upstreams = form.ports.map((port) => ({ host: '127.0.0.1', port }))
      const line = await proxy.line({ upstreams, framing: 'resp' })
      return wiredThrough(form.openThrough(line.ports), line)
    },
    async evict(namespace, name) {
      await form.admin.eval(evictHolders, 1, `locks:{${namespace}/${name}}`)
    },
    child: { url: form.url, adapter: new URL('../src/index.ts', import.meta.url).href },
  }
}

/** Redis knows no sessions: one ends when its client says so. */
function wiredThrough(backend: Backend, line: ProxyLine): { backend: Backend; wire: Wire } {
  const sessions = new Set<Session>()
  const noting: Backend = {
    ...backend,
    async open(options) {
      const session = await backend.open(options)
      sessions.add(session)
      void session.ended.then(() => sessions.delete(session))
      return session
    },
  }
  const end = async () => {
    await Promise.all([...sessions].map((session) => session.close()))
  }
  return { backend: noting, wire: { ...line.wire, end } }
}

/** As somebody does who deletes entries by hand, and keeps the count right. */
const evictHolders = `
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local id = string.match(all[i], '^#(.*)$')
  if id and string.sub(all[i + 1], 1, 1) == 'h' then
    redis.call('HDEL', KEYS[1], '#' .. id, '=' .. id, '@' .. id)
  end
end
if (redis.call('HGET', KEYS[1], 'c') or '0') == '0' then redis.call('HDEL', KEYS[1], 'n', 'w')
else redis.call('HSET', KEYS[1], 'n', 0, 'w', 0) end
`
