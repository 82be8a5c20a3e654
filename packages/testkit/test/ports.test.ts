import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { freePort, freePorts } from '../src/ports.ts'

test('no port is given twice', async () => {
  const ports = (await Promise.all([freePorts(150), freePorts(1), freePorts(20)])).flat()
  expect(ports).toHaveLength(171)
  expect(new Set(ports).size).toBe(171)
})

test('no port is given on which somebody listens', async () => {
  const next = (await freePort()) + 1
  const server = createServer().listen(next, '127.0.0.1')
  onTestFinished(() => void server.close())
  await Promise.race([once(server, 'listening'), once(server, 'error')])
  expect(await freePort()).not.toBe(next)
})

test('no port is given to two processes', async () => {
  const module = new URL('../src/ports.ts', import.meta.url).href
  const program = `
    import { freePorts } from '${module}'
    console.log(JSON.stringify(await freePorts(1000)))
    process.stdin.resume()`
  const given = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const other = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      onTestFinished(() => void other.kill())
      const [line] = (await once(createInterface(other.stdout), 'line')) as [string]
      return JSON.parse(line) as number[]
    }),
  )
  expect(new Set(given.flat()).size).toBe(4_000)
})
