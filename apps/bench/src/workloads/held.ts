import { setTimeout as sleep } from 'node:timers/promises'
import { entrants, tableOf, ttl, type Bench, type Workload } from '../bench.ts'
import type { MemberSpec, Usage } from '../crowd/calls.ts'
import { Member } from '../crowd/member.ts'
import { rounded } from '../spread.ts'
import type { Subject } from '../subjects/subject.ts'

const locks = 10_000
/** How long they are held, ms; of others than ours a part of it is enough. */
const holding = { ours: 60_000, others: 20_000 }
/** Until the first renewal is behind them. */
const settling = 6_000

type Facts = Readonly<Record<string, number>>

/** What holding costs, when nothing happens: each subject in a process of its own, one after the other. */
export const held: Workload = {
  name: 'held',
  idle: true,
  async measure(bench) {
    const entered = entrants(bench, ['hold'])
    const facts = new Map<string, Facts>()
    const values = new Map<string, readonly number[]>()
    const failed = new Map<string, string>()
    for (const subject of entered.able) {
      try {
        const counted = await hold(bench, subject)
        facts.set(subject.name, mapped(counted, rounded))
        values.set(subject.name, [counted['% of a core'] as number])
      } catch (error) {
        failed.set(subject.name, (error as Error).message)
      }
    }
    const about = { workload: 'held', case: `${locks.toLocaleString('en')} locks held`, unit: '% of a core' } as const
    return [tableOf(bench, about, entered, { values, failed }, facts)]
  },
}

async function hold(bench: Bench, { name, kind }: Subject): Promise<Facts> {
  const { backend, store, sizes } = bench
  const count = sizes.count(locks)
  const way = await store.line?.()
  const before = (await store.occupied?.()) ?? {}
  const spec: MemberSpec = { backend, subject: name, url: way?.url ?? store.url, ttl }
  const member = await Member.start(spec)
  try {
    // Code that has not run yet is no part of what a lock takes.
    await member.call('hold', 'before')
    await member.call('release')
    const empty = await member.call('usage')
    await member.call('holdAll', count)
    await sleep(sizes.lasting(settling))
    const counts = async () => ({
      requests: (await way?.line.wire.sent()) ?? 0,
      roundTrips: (await way?.line.wire.roundTrips()) ?? 0,
    })
    const [used, sent, started] = [await member.call('usage'), await counts(), performance.now()]
    await sleep(sizes.lasting(kind === 'ours' ? holding.ours : holding.others))
    const [end, after, seconds] = [await member.call('usage'), await counts(), (performance.now() - started) / 1_000]
    const during = (await store.occupied?.()) ?? {}
    const each = (from: number, to: number) => (to - from) / seconds
    return {
      '% of a core': share(used, end, seconds),
      'bytes a lock': (used.heap - empty.heap) / count,
      ...(way && {
        'requests a second': each(sent.requests, after.requests),
        'round trips a second': each(sent.roundTrips, after.roundTrips),
        ...perCycle(end.renewals - used.renewals, after.roundTrips - sent.roundTrips),
      }),
      ...Object.fromEntries(Object.entries(during).map(([what, now]) => [what, now - (before[what] ?? 0)])),
    }
  } finally {
    await member.kill()
    await way?.line.close()
    await left(bench, before)
  }
}

/** Waits until the server has forgotten this one: nobody else is to be blamed for it. */
async function left({ store, sizes }: Bench, before: Facts): Promise<void> {
  const until = performance.now() + sizes.lasting(2 * ttl)
  while (performance.now() < until && JSON.stringify(await store.occupied?.()) !== JSON.stringify(before))
    await sleep(250)
}

const mapped = (facts: Facts, to: (value: number) => number): Facts =>
  Object.fromEntries(Object.entries(facts).map(([what, value]) => [what, to(value)]))

const share = (from: Usage, to: Usage, seconds: number) => (to.cpu - from.cpu) / 1e4 / seconds

const perCycle = (cycles: number, roundTrips: number): Facts =>
  cycles > 0 ? { 'round trips a renewal cycle': roundTrips / cycles } : {}
