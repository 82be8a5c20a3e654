import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { World } from './support.ts'

const flags = ['--import', pathToFileURL(join(import.meta.dirname, 'warn.ts')).href]

test('of warnings those of the adapters are told, and none of Node’s', async () => {
  const world = new World()
  const { code, stderr } = await world.run(['run', 'a', '--', 'true'], { flags })
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'locks: warning: look at this (ADAPTER_SAYS)\n' })
})

test('doctor lists them', async () => {
  const { stdout, stderr } = await new World().run(['doctor'], { flags })
  expect(stderr).toBe('')
  expect(stdout).toContain('warning look at this (ADAPTER_SAYS)\n')
})
