import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { startRedis } from '@locks/testkit'
import { expect, test } from 'vitest'

const flags = ['--conditions=@locks/source', '--disable-warning=ExperimentalWarning']
const example = fileURLToPath(new URL('../examples/paused-holder.ts', import.meta.url))

test('a paused holder overwrites what another has confirmed, and with a guard it does not', async () => {
  const { stdout, stderr } = spawn(process.execPath, [...flags, example])
  const [said, complaints] = await Promise.all([text(stdout), text(stderr)])
  expect(complaints).toBe('')
  const [without = '', guarded = ''] = said.split('With a guard')
  expect(without).toMatch(/second writes 70\nfirst wakes up\nfirst writes 90\nThe balance is 90/)
  expect(guarded).toMatch(/second writes 70\nfirst wakes up\nfirst is refused: .* out of date.*\nThe balance is 70/)
})

// Where Redis is not tested, it may not be there.
const isTested = process.env.LOCKS_TEST_BACKENDS?.split(',').includes('redis') ?? true
const room = fileURLToPath(new URL('../examples/free-or-taken.ts', import.meta.url))

test.for(isTested ? [room] : [])(
  'a room that is marked as free is taken by several, and under a lock by one',
  async (program) => {
    // What keeps its locks on disk grants at once.
    const server = await startRedis({ appendonly: true })
    try {
      const env = { ...process.env, LOCKS_URL: `redis://127.0.0.1:${server.port}` }
      const { stdout, stderr } = spawn(process.execPath, [...flags, program], { env })
      const [said, complaints] = await Promise.all([text(stdout), text(stderr)])
      expect(complaints).toBe('')
      expect(said).toMatch(/^without a lock [2-5] of 5 guests have the room: it is taken by \w+$/m)
      expect(said).toMatch(/^with a lock 1 of 5 guests have the room: it is taken by \w+$/m)
    } finally {
      await server.end()
    }
  },
)
