import { fileURLToPath } from 'node:url'
import { granted, keyOf, type Backend } from '@locks/core/backend'
import { absences, conformance, declaredAbsent, reportTo, type Harness, type Wire } from '@locks/core/conformance'
import { startProxy, until, type Proxy, type ProxyLine } from '@locks/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { queueOf } from '../src/contenders.ts'
import type { Admin } from './admin.ts'

/** One deployment of ZooKeeper under test. */
export interface Form {
  /** What the tables call it. */
  readonly backend: keyof typeof declaredAbsent
  /** What clients connect to, without a proxy. */
  readonly url: string
  /** A backend that reaches the servers by these ports. */
  open(ports: readonly number[]): Backend
  readonly ports: readonly number[]
  readonly admin: Admin
  /** Ends a session at the servers, by its id. */
  endSession(session: string): Promise<void>
  end(): Promise<void>
}

/** Tests that a form keeps the contract, and what it declares of it. */
export async function holdToContract(title: string, form: Form): Promise<void> {
  const proxy = await startProxy()
  afterAll(async () => {
    await proxy.end()
    await form.end()
  })
  const harness = harnessOf(form, proxy)
  const file = fileURLToPath(new URL(`../../../.reports/conformance/${form.backend}.jsonl`, import.meta.url))
  describe(`${title} keeps the contract`, () => {
    conformance({ test, harness, report: reportTo(file) })

    test('declares absent what it may, and nothing else', () => {
      expect(absences(harness.capabilities)).toEqual(declaredAbsent[form.backend])
    })
  })
}

/** What the cases need of a form. */
export function harnessOf(form: Form, proxy: Proxy): Harness {
  return {
    backend: form.backend,
    capabilities: form.open(form.ports).capabilities,
    ttl: 1_500,
    open: () => form.open(form.ports),
    async openWired() {
      const upstreams = form.ports.map((port) => ({ host: '127.0.0.1', port }))
      const line = await proxy.line({ upstreams, framing: 'zookeeper' })
      return wiredThrough(form, line)
    },
    async evict(namespace, name) {
      const parent = `/locks/${namespace}/${keyOf(name)}`
      // The server that is asked may be behind the one that has granted it.
      const holders = await until('its holder is seen', async () => {
        const found = granted(queueOf(await form.admin.children(parent)))
        return found.length > 0 && found
      })
      await Promise.all(holders.map(({ node }) => form.admin.remove(`${parent}/${node}`)))
    },
    child: { url: form.url, adapter: new URL('../src/index.ts', import.meta.url).href },
  }
}

/** Notes whose sessions they are, so that the servers can end them. */
function wiredThrough(form: Form, line: ProxyLine): { backend: Backend; wire: Wire } {
  const backend = form.open(line.ports)
  const clients = new Map<string, string>()
  const noting: Backend = {
    ...backend,
    open(options) {
      clients.set(options.clientId, options.namespace)
      return backend.open(options)
    },
  }
  async function end() {
    for (const [clientId, namespace] of clients) {
      const signs = (await form.admin.children(`/locks/${namespace}`)).filter((child) => child.startsWith('.'))
      for (const sign of signs) {
        const { clientId: whose } = JSON.parse(await form.admin.data(`/locks/${namespace}/${sign}`)) as {
          clientId: string
        }
        if (whose === clientId) await form.endSession(`0x${sign.slice(1)}`)
      }
    }
  }
  return { backend: noting, wire: { ...line.wire, end } }
}
