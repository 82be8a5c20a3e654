import { channel } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import type { Act } from '../src/work/acts.ts'
import { Calls } from '../src/work/calls.ts'

const act: Act = { kind: 'lock', names: ['name'], mode: 'exclusive', lasts: 0, rest: 0 }

/** What is recorded of a call about which core tells these things. */
async function recorded(...told: readonly ('queued' | 'lost' | 'another lost')[]) {
  const attempt = { names: ['name'], clientId: 'client' }
  const calls = new Calls(act, 'client 1', () => 0)
  await calls.run(async () => {
    channel('locks:request').publish({ attempt })
    for (const what of told) {
      if (what === 'queued') channel('locks:queued').publish({ attempt })
      else channel('locks:session').publish({ state: 'ended', clientId: what === 'lost' ? 'client' : 'other' })
    }
  })
  return calls.granted(() => 1n)[0]
}

test('a call has waited at the store since it was queued there', async () => {
  expect((await recorded('queued'))?.queued).toBeGreaterThan(0)
  expect((await recorded('queued', 'another lost'))?.queued).toBeGreaterThan(0)
  expect((await recorded('queued', 'lost', 'queued'))?.queued).toBeGreaterThan(0)
  expect(await recorded()).not.toHaveProperty('queued')
})

test('a call whose session was lost has its place no more, also where it is then granted at once', async () => {
  expect(await recorded('queued', 'lost')).not.toHaveProperty('queued')
})
