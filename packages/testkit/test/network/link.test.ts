import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startLink, startPostgres, type NetworkHost, type NetworkLink } from '../../src/index.ts'
import { programBeside } from '../../src/postgres/data.ts'
import { until } from '../../src/until.ts'

let link: NetworkLink
beforeAll(async () => {
  link = await startLink()
})
afterAll(() => link.end())

async function at({ enter }: NetworkHost, ...command: string[]): Promise<string> {
  const [first = '', ...rest] = [...enter, ...command]
  return (await promisify(execFile)(first, rest)).stdout.trim()
}

const namespaceOf = (pid: number | 'self') => readlinkSync(`/proc/${pid}/ns/net`)

test('two hosts that reach each other, apart from the machine and from each other', async () => {
  const script = `console.log(JSON.stringify(Object.values(os.networkInterfaces()).flat().map((each) => each.address)))`
  for (const host of [link.near, link.far]) {
    const addresses = JSON.parse(await at(host, process.execPath, '-e', script)) as string[]
    expect(addresses.filter((address) => !address.includes(':')).toSorted()).toEqual(['127.0.0.1', host.address])
  }
  const where = async (host: NetworkHost) => at(host, 'readlink', '/proc/self/ns/net')
  const all = [namespaceOf('self'), await where(link.near), await where(link.far)]
  expect(new Set(all).size).toBe(3)
})

test('what is sent while the link is down arrives nowhere, and the connection outlives that', async () => {
  const server = await startPostgres({ at: link.near })
  onTestFinished(() => server.end())
  expect(server.url).toContain(`@${link.near.address}:`)
  const [command, ...args] = [...link.far.enter, programBeside('psql'), server.url, '-X', '-A', '-t', '-q']
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill()
    await exited
  })
  let printed = ''
  child.stdout.on('data', (text) => (printed += String(text)))
  child.stdin.write(`SELECT pg_advisory_lock(1), 'locked';\n`)
  await until('it has its lock', () => printed.includes('locked'))
  const client = `SELECT client_addr FROM pg_stat_activity WHERE query LIKE '%locked%' AND pid <> pg_backend_pid()`
  expect(await server.psql(client)).toBe(link.far.address)

  await link.down()
  child.stdin.write(`SELECT pg_advisory_unlock(1), 'unlocked';\n`)
  // Nothing tells the server, nor the client.
  const quiet = await Promise.race([once(child.stdout, 'data'), once(child, 'exit'), wait(1_000)])
  expect(quiet).toBe('nothing')
  expect([await server.advisoryLocks(), await server.sessions()]).toEqual([1, 1])
  await link.up()
  await until('it arrives late', () => printed.includes('unlocked'))
  expect(await server.advisoryLocks()).toBe(0)
})

async function wait(ms: number): Promise<'nothing'> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing'), ms))
}

test('nothing is left of the hosts after the end', async () => {
  const other = await startLink()
  const pid = other.near.enter[other.near.enter.indexOf('--target') + 1]
  expect(namespaceOf(Number(pid))).not.toBe(namespaceOf('self'))
  await other.end()
  expect(() => namespaceOf(Number(pid))).toThrow('ENOENT')
  await expect(at(other.near, 'true')).rejects.toThrow('nsenter')
})
