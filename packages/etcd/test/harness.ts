import { fileURLToPath } from 'node:url'
import { keyOf, type Backend } from '@locks/core/backend'
import { absences, conformance, declaredAbsent, reportTo, type Harness, type Wire } from '@locks/core/conformance'
import { startProxy, type Proxy, type ProxyLine } from '@locks/testkit'
import type { Etcd3 } from 'etcd3'
import { afterAll, describe, expect, test } from 'vitest'

/** One deployment of etcd under test. */
export interface Form {
  /** What the tables call it. */
  readonly backend: keyof typeof declaredAbsent
  /** What clients connect to, without a proxy. */
  readonly url: string
  open(): Backend
  readonly ports: readonly number[]
  /** A backend that reaches the members by other ports, in the same order. */
  openThrough(ports: readonly number[]): Backend
  /** A client that may do everything. */
  readonly admin: Etcd3
  end(): Promise<void>
}

/** Tests that a form keeps the contract, and what it declares of it. */
export async function holdToContract(form: Form): Promise<void> {
  const proxy = await startProxy()
  afterAll(async () => {
    await proxy.end()
    await form.end()
  })
  const harness = harnessOf(form, proxy)
  const file = fileURLToPath(new URL(`../../../.reports/conformance/${form.backend}.jsonl`, import.meta.url))
  describe(`${form.backend} keeps the contract`, () => {
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
    capabilities: form.open().capabilities,
    // The least that the servers grant.
    ttl: 2_000,
    open: () => form.open(),
    async openWired() {
      const upstreams = form.ports.map((port) => ({ host: '127.0.0.1', port }))
      const line = await proxy.line({ upstreams, framing: 'grpc' })
      return wiredThrough(form, line)
    },
    async evict(namespace, name) {
      const keys = await form.admin
        .getAll()
        .prefix(`locks/${keyOf(namespace)}/${keyOf(name)}/`)
        .keys()
      for (const key of keys.filter((each) => /\/[01]\/[^/]+$/.test(each))) await form.admin.delete().key(key)
    },
    child: { url: form.url, adapter: new URL('../src/index.ts', import.meta.url).href },
  }
}

/** Sessions end as their leases are revoked, by somebody whose own line is well. */
function wiredThrough(form: Form, line: ProxyLine): { backend: Backend; wire: Wire } {
  const backend = form.openThrough(line.ports)
  const opened = new Map<string, string>()
  const noting: Backend = {
    ...backend,
    open(options) {
      opened.set(options.clientId, options.namespace)
      return backend.open(options)
    },
  }
  const end = async () => {
    for (const [clientId, namespace] of opened) {
      for (const lease of await leasesOf(form.admin, namespace, clientId)) {
        // It may have ended since by itself.
        await form.admin.leaseClient.leaseRevoke({ ID: lease }).catch(() => {})
      }
    }
  }
  return { backend: noting, wire: { ...line.wire, end } }
}

/** The leases of a client's sessions. */
export async function leasesOf(admin: Etcd3, namespace: string, clientId: string): Promise<string[]> {
  const range = admin.getAll().prefix(`locks/${keyOf(namespace)}/~/`)
  const { kvs } = await range.exec()
  return kvs.flatMap(({ value, lease }) => (value.toString().includes(`"client":"${clientId}"`) ? [lease] : []))
}
