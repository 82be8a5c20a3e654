import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock, type Clock, type Proof } from '@locks/core/backend'
import { postgres } from '@locks/postgres'
import { startPostgres, startProxy } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup } from './fixtures.ts'
import { openSession, request } from './support.ts'

const server = await startPostgres()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

/** Nothing leaves but what is asked for. */
const still: Clock = { now: () => systemClock.now(), after: () => ({ cancel() {} }) }
const late = 300

test.for(['postgres', 'postgres?schema=none&restartGrace=false'])(
  'a proof counts from its sending: %s',
  async (form) => {
    const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'postgres' })
    cleanup(() => line.close())
    const through = postgres({ url: `postgres://postgres@127.0.0.1:${line.ports[0]}/${form}` })
    const { session } = await openSession(through, { clock: still, ttl: 60_000 })
    const own = request('own')

    /** When something was asked for, and the proof that its answer brought much later. */
    const delayed = async (ask: () => Promise<unknown>, proofOf: (answer: unknown) => Proof | undefined) => {
      await line.wire.delayAnswers()
      const asked = performance.now()
      const answer = ask()
      await sleep(late)
      await line.wire.heal()
      const proof = proofOf(await answer)
      expect(proof?.ttl).toBe(60_000)
      expect(proof?.sent.mono).toBeLessThan(asked + late)
      expect(performance.now()).toBeGreaterThan(asked + late)
    }
    await delayed(
      () => session.acquire(own),
      (grant) => (grant as { proof: Proof }).proof,
    )
    await delayed(
      () => session.renew([own]),
      (standings) => (standings as ReadonlyMap<string, { proof: Proof }>).get(own.id)?.proof,
    )
  },
)
