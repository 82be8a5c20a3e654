import { setTimeout as sleep } from 'node:timers/promises'
import { entrants, tableOf, type Bench, type Workload } from '../bench.ts'
import { machineTime, type MemberSpec } from '../crowd/calls.ts'
import { Member } from '../crowd/member.ts'
import type { Subject } from '../subjects/subject.ts'

const ttl = 3_000
const rounds = 5

/** The ttl itself, which a killed holder may keep others out for. */
const limit: Subject = {
  name: 'the ttl',
  kind: 'floor',
  settings: '',
  open: () => Promise.reject(new Error('is no store')),
}

/** How long a waiter waits after kill -9 of the holder, who has held for half a ttl. */
export const recovery: Workload = {
  name: 'recovery',
  idle: true,
  async measure(bench) {
    const { able, unable } = entrants(bench, ['wait', 'processes', 'crash'])
    const failed = new Map<string, string>()
    const values = new Map<string, (number | undefined)[]>([
      [limit.name, []],
      ...able.map(({ name }) => [name, []] as const),
    ] as [string, (number | undefined)[]][])
    for (let round = 0; round < (bench.sizes.quick ? 1 : rounds); round++) {
      values.get(limit.name)?.push(ttl)
      // All at a time: nearly all of it is waiting.
      const times = await Promise.allSettled(able.map((subject) => takeOver(bench, subject, round)))
      for (const [at, time] of times.entries()) {
        const name = able[at]?.name ?? ''
        if (time.status === 'rejected') failed.set(name, (time.reason as Error).message)
        values.get(name)?.push(time.status === 'fulfilled' ? time.value : undefined)
      }
    }
    if (able.length === 0) return []
    const about = { workload: 'recovery', case: `kill -9 of a holder, ttl ${ttl / 1_000} s`, unit: 'ms' } as const
    return [tableOf(bench, about, { able: [...able, limit], unable }, { values, failed })]
  },
}

async function takeOver({ backend, store }: Bench, { name: subject }: Subject, round: number): Promise<number> {
  const spec: MemberSpec = { backend, subject, url: store.url, ttl }
  const [holder, waiter] = await Promise.all([Member.start(spec), Member.start(spec)])
  try {
    const name = `recovery ${round}`
    await holder.call('hold', name)
    await waiter.call('wait', name, 1)
    await sleep(ttl / 2)
    const killed = machineTime()
    await holder.kill()
    const [turn] = await waiter.call('turns', 6 * ttl)
    if (!turn) throw new Error(`nobody had it within ${(6 * ttl) / 1_000} s`)
    if (turn[0] < killed) throw new Error('did not exclude')
    return turn[0] - killed
  } finally {
    await Promise.all([holder.kill(), waiter.kill()])
  }
}
