import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folder, until, World } from './support.ts'

/** Three files stand in for three machines. */
function quorum(): World {
  const made = folder()
  const nodes = ['a', 'b', 'c'].map((name) => `node=${encodeURIComponent(`sqlite:${join(made, name)}.db`)}`)
  return new World(`quorum:?${nodes.join('&')}`)
}

test('a command runs under the lock of a majority, and another does not', async () => {
  const world = quorum()
  const token = 'case "$LOCKS_TOKEN" in *[!0-9]*|"") exit 1;; *) exit 7;; esac'
  expect(await world.run(['run', 'job', '--', 'sh', '-c', token])).toMatchObject({ code: 7, stderr: '' })
  const holder = world.locks(['run', 'job', '--', 'sh', '-c', 'echo there; exec sleep 1000'])
  await until(() => holder.stdout)
  expect(await world.run(['run', '--wait', '0', 'job', '--', 'true'])).toMatchObject({ code: 75 })
  const { stdout } = await world.run(['inspect', 'job', '--json'])
  expect((JSON.parse(stdout) as { held: unknown[] }).held).toHaveLength(1)
  holder.kill('SIGTERM')
  expect(await holder.ended).toMatchObject({ signal: 'SIGTERM' })
})

test('one leads, and is shown with its value', async () => {
  const world = quorum()
  const leading = world.locks(['elect', '--value', 'here', 'job', '--', 'sh', '-c', 'echo leads; exec sleep 1000'])
  await until(() => leading.stdout)
  const { stdout } = await world.run(['leader', 'job', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ value: 'here' })
})

test('what a majority cannot do, or a URL does not say, is refused with what is allowed', async () => {
  const world = quorum()
  expect(await world.run(['ls'])).toMatchObject({ code: 64 })
  expect(await world.run(['run', '--permits', '2', 'job', '--', 'true'])).toMatchObject({ code: 64 })
  const env = { LOCKS_URL: 'quorum:?node=sqlite%3Aa.db&node=sqlite%3Ab.db' }
  const { code, stderr } = await world.run(['run', 'job', '--', 'true'], { env })
  expect(code).toBe(64)
  expect(stderr).toMatch(/odd number of nodes/)
})
