import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Backend } from '@locks/core/backend'
import { absences, conformance, declaredAbsent, reportTo, type Harness, type Wire } from '@locks/core/conformance'
import { startProxy, type Proxy, type ProxyLine } from '@locks/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import type { Form } from './forms.ts'

/** Tests that a form keeps the contract, and what it declares of it. `report` is the name of a column of the table. */
export async function holdToContract(title: string, form: Form, report: string): Promise<void> {
  const proxy = await startProxy()
  afterAll(async () => {
    await proxy.end()
    await form.end()
  })
  const harness = harnessOf(form, proxy)
  const file = fileURLToPath(new URL(`../../../.reports/conformance/${report}.jsonl`, import.meta.url))
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
    capabilities: form.open().capabilities,
    ttl: 1_500,
    open: () => form.open(),
    async openWired() {
      const upstreams = [{ host: '127.0.0.1', port: form.port }]
      const line = await proxy.line({ upstreams, framing: 'postgres' })
      return wiredThrough(form.openThrough(line.ports[0] ?? 0), line, form)
    },
    evict: (namespace, name) => evict(form, `${namespace}/${name}`),
    child: { url: form.url, adapter: new URL('../src/index.ts', import.meta.url).href },
  }
}

function wiredThrough(backend: Backend, line: ProxyLine, { admin, pids }: Form): { backend: Backend; wire: Wire } {
  const clients = new Set<string>()
  const noting: Backend = {
    ...backend,
    open(options) {
      clients.add(options.clientId)
      return backend.open(options)
    },
  }
  /** As an administrator ends sessions. */
  const end = async () => {
    await admin.query(`SELECT pg_terminate_backend(pid, 5000) FROM (${pids}) p (pid)`, [[...clients]])
  }
  return { backend: noting, wire: { ...line.wire, end } }
}

/**
 * As somebody does who frees a lock by hand: by deleting its row. A lock that has just been granted gets its row soon; one
 * whose session cannot say so is freed by ending the session.
 */
async function evict({ admin, backend }: Form, stored: string): Promise<void> {
  const key = createHash('sha256').update(`locks/${stored}`).digest().readBigInt64BE(0)
  const end = performance.now() + 500
  while (backend === 'postgres' && performance.now() < end) {
    const { rowCount } = await admin.query('DELETE FROM locks.entry WHERE name = $1 AND holds', [stored])
    if (rowCount) return
    const { rows } = await admin.query(`SELECT FROM pg_locks ${isHolder}`, [key])
    if (rows.length === 0) return
  }
  await admin.query(`SELECT pg_terminate_backend(pid, 5000) FROM pg_locks ${isHolder}`, [key])
}

const isHolder = `WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ExclusiveLock' AND granted
  AND (classid::bigint << 32) | objid::bigint = $1::bigint`
