import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
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
