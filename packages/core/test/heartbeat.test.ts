import { Heartbeat, LockError, type Instant, type Proof } from '@locks/core/backend'
import { expect, test } from 'vitest'
import { FakeClock, settled } from './fake-clock.ts'

const ttl = 3_000
const period = 1_000

interface Asked {
  readonly sent: Instant
  answer(): void
  fail(): void
}

function beating() {
  const clock = new FakeClock()
  const asked: Asked[] = []
  let deaths = 0
  const opened = { sent: clock.now(), ttl }
  const heartbeat = new Heartbeat(
    {
      clock,
      ttl,
      period,
      beat: (sent) =>
        new Promise<Proof>((resolve, reject) =>
          asked.push({
            sent,
            answer: () => resolve({ sent, ttl }),
            fail: () => reject(new LockError('UNAVAILABLE', 'no')),
          }),
        ),
      died: () => deaths++,
    },
    opened,
  )
  const last = () => asked.at(-1) as Asked
  return { clock, heartbeat, asked, last, opened, deaths: () => deaths }
}

test('it beats once a period, and its proof counts from before the beat left', async () => {
  const { clock, heartbeat, asked, last, opened } = beating()
  expect(heartbeat.proof).toBe(opened)
  for (let beats = 1; beats <= 3; beats++) {
    await clock.advance(beats === 1 ? period : period - 100)
    expect(asked).toHaveLength(beats)
    const { mono } = clock.now()
    await clock.advance(100)
    last().answer()
    await settled()
    expect(heartbeat.proof.sent.mono).toBe(mono)
  }
})

test('a proof that came with something else counts, and puts off the end', async () => {
  const { clock, heartbeat, deaths } = beating()
  await clock.advance(ttl / 2)
  const noted = { sent: clock.now(), ttl }
  heartbeat.note(noted)
  heartbeat.note({ sent: { ...noted.sent, mono: noted.sent.mono - 1 }, ttl })
  expect(heartbeat.proof).toBe(noted)
  await clock.advance(ttl - 1)
  expect(deaths()).toBe(0)
  await clock.advance(1)
  expect(deaths()).toBe(1)
})

test('a renewal joins a beat that has just left, and is the next beat otherwise', async () => {
  const { clock, heartbeat, asked, last } = beating()
  await clock.advance(period)
  const joined = heartbeat.renewed()
  expect(asked).toHaveLength(1)
  last().answer()
  expect((await joined).sent).toBe(last().sent)
  await clock.advance(period / 2)
  const own = heartbeat.renewed()
  expect(asked).toHaveLength(2)
  last().answer()
  await own
  await clock.advance(period - 1)
  expect(asked).toHaveLength(2)
  await clock.advance(1)
  expect(asked).toHaveLength(3)
})

test('a beat that is not answered is sent again, and so is one that fails, sooner', async () => {
  const { clock, asked, last, deaths } = beating()
  await clock.advance(period)
  await clock.advance(ttl / 4)
  expect(asked).toHaveLength(2)
  last().fail()
  await clock.advance(ttl / 12)
  expect(asked).toHaveLength(3)
  expect(deaths()).toBe(0)
})

test('an answer that comes late proves nothing that a later one has not', async () => {
  const { clock, heartbeat, asked } = beating()
  await clock.advance(period + ttl / 4)
  const [first, second] = asked as [Asked, Asked]
  second.answer()
  await settled()
  first.answer()
  await settled()
  expect(heartbeat.proof.sent).toBe(second.sent)
})

test('without a proof for a ttl it has died, once, and beats no more', async () => {
  const { clock, heartbeat, asked, last, deaths } = beating()
  await clock.advance(ttl - 1)
  expect(deaths()).toBe(0)
  await clock.advance(1)
  expect(deaths()).toBe(1)
  const before = asked.length
  last().answer()
  await clock.advance(10 * ttl)
  expect([asked.length, deaths(), clock.timers]).toEqual([before, 1, 0])
  await expect(heartbeat.renewed()).rejects.toSatisfy((error) => LockError.is(error, 'UNAVAILABLE'))
})

test.for(['stall', 'sleep'] as const)('after a %s longer than the ttl it has died', async (pause) => {
  const { clock, deaths, asked } = beating()
  clock[pause](2 * ttl)
  await clock.advance(period)
  expect([deaths(), asked.length]).toEqual([1, 0])
})

test('when it is ended, nothing is left of it', async () => {
  const { clock, heartbeat, deaths } = beating()
  await clock.advance(period)
  heartbeat.end()
  await clock.advance(10 * ttl)
  expect([deaths(), clock.timers]).toEqual([0, 0])
})
