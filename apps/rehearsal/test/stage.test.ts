import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@locks/testkit'
import { expect, test } from 'vitest'
import { openStage } from '../src/stage.ts'

test('what runs ends with the stage, with all that it has started, and the folder is gone', async () => {
  const stage = await openStage()
  const cwd = await stage.room('work')
  let owned = 'there'
  stage.own(() => Promise.resolve(void (owned = 'ended')))
  const command = stage.run('sh', ['-c', 'sleep 1000 & echo >started; wait'], { cwd })
  const failure = command.catch((error: Error) => error.message)
  await until('it has a child', () => existsSync(join(cwd, 'started')))

  await stage.end()

  // Its output ends with the last that could write to it: with the child.
  expect(await failure).toMatch(/SIGKILL/)
  expect(owned).toBe('ended')
  expect(existsSync(stage.folder)).toBe(false)
  await expect(stage.run('true', [], { cwd: '.' })).rejects.toThrow('over')
})

test('a command that fails tells what it had printed', async () => {
  const stage = await openStage()
  try {
    const run = (script: string) => stage.run('sh', ['-c', script], { cwd: stage.folder })
    await expect(run('echo all is well')).resolves.toBe('all is well\n')
    await expect(run('echo no disk >&2; exit 3')).rejects.toThrow(/ended with 3:\nno disk/)
  } finally {
    await stage.end()
  }
})
