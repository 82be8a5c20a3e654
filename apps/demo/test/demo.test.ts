import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
let temp: string

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'demo test 100%41 #?-'))
})

afterEach(() => rmSync(temp, { recursive: true }))

function start(...args: string[]) {
  const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: temp }
  delete env.LOCKS_URL
  const child = spawn(process.execPath, ['--conditions=@locks/source', main, ...args], { env, stdio: 'pipe' })
  const out = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text))
  const ended = new Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, ...out })),
  )
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => out.stdout.includes(text) && resolve()
      child.stdout.on('data', look)
      child.on('close', () => reject(new Error(`ended without saying ${text}: ${out.stdout}${out.stderr}`)))
    })
  return { child, pid: child.pid as number, ended, says }
}

/** Processes that run, or are stopped, with their parents. */
function processes(): { pid: number; parent: number }[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n')
  return lines.flatMap((line) => {
    const [pid, parent, state] = line.trim().split(/\s+/)
    return state?.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent) }]
  })
}

const childrenOf = (of: number) => processes().flatMap(({ pid, parent }) => (parent === of ? [pid] : []))

/** Settles when none of the processes is left; the test's own time-out is the limit. */
async function gone(pids: readonly number[]): Promise<void> {
  while (processes().some(({ pid }) => pids.includes(pid))) await delay(20)
}

describe('the whole demo, piped', () => {
  test('shows what it promises, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await start().ended
    expect(stderr).toBe('')
    // oxlint-disable-next-line eslint/no-control-regex
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
    expect(rows(stdout)).toEqual([
      { act: '1 no lock', harmed: true, verdict: 'harm, expected' },
      { act: '2 lock', harmed: false, verdict: 'ok' },
      { act: '3 kill -9', harmed: false, verdict: 'ok' },
      { act: '4 stopped, fenced', harmed: false, verdict: 'ok' },
      { act: '5 same, unfenced', harmed: true, verdict: 'harm, expected' },
    ])
    expect(code).toBe(0)
    expect(stdout.match(/reads lock\.held: false/g)).toHaveLength(2)
    const [, late, seen] =
      /Refused: the token (\d+) is out of date:\n +a newer holder has been here, with (\d+) \(LOST\)\./.exec(stdout) ??
      []
    expect(BigInt(late ?? 0)).toBeLessThan(BigInt(seen ?? 0))
    expect(readdirSync(temp)).toEqual([])
  })
})

function rows(stdout: string) {
  return stdout.split('\n').flatMap((line) => {
    const cells = line.split(/ {2,}/)
    if (!/^\d \S/.test(line) || cells.length < 6) return []
    const [act, , sales, taken, soldTwice] = cells
    return [{ act, harmed: sales !== taken || soldTwice !== '0', verdict: cells.at(-1) }]
  })
}

describe('an end before the end', () => {
  test.for(['SIGINT', 'SIGTERM'] as const)('%s ends every process and removes what was written', async (signal) => {
    const { child, pid, ended, says } = start()
    await says('kill -9')
    const sellers = childrenOf(pid)
    expect(sellers.length).toBeGreaterThanOrEqual(4)
    child.kill(signal)
    expect(await ended).toMatchObject({ code: null, signal, stderr: '' })
    await gone(sellers)
    expect(readdirSync(temp)).toEqual([])
  })

  test('kill -9 of the demo ends every process, one that is stopped too', async () => {
    const { child, pid, ended, says } = start()
    await says('SIGSTOP')
    const sellers = childrenOf(pid)
    expect(sellers).toHaveLength(4)
    child.kill('SIGKILL')
    expect(await ended).toMatchObject({ signal: 'SIGKILL', stderr: '' })
    await gone(sellers)
  })

  test('a reader that leaves ends the demo', async () => {
    const { child, ended, says } = start()
    await says('1  No lock')
    child.stdout.destroy()
    expect(await ended).toMatchObject({ code: 1, stderr: '' })
    expect(readdirSync(temp)).toEqual([])
  })
})

describe('what it refuses', () => {
  test('memory: serves one process only', async () => {
    const { code, stdout, stderr } = await start('memory:').ended
    expect(stderr).toMatch(/^locks demo: memory: covers only the process that opens it.* \(UNSUPPORTED\)\n$/)
    expect(stdout).toBe('')
    expect(code).toBe(2)
    expect(readdirSync(temp)).toEqual([])
  })

  test.for([
    [['nonsense:'], /^locks demo: no backend for "nonsense:"; known are .* \(INVALID_ARGUMENT\)\n$/],
    [['sqlite:a', 'sqlite:b'], /^locks demo: one URL at most; got 2 arguments\n\nUsage: /],
    [['sqlite:a', '--all'], /^locks demo: either a URL or --all\n\nUsage: /],
    [['--fast'], /^locks demo: Unknown option '--fast'[^]*\n\nUsage: /],
  ] as const)('%o', async ([args, says]) => {
    const { code, stderr } = await start(...args).ended
    expect(stderr).toMatch(says)
    expect(stderr).not.toContain('    at ')
    expect(code).toBe(2)
  })

  test('--help says how', async () => {
    const { code, stdout, stderr } = await start('--help').ended
    expect(stdout).toMatch(/^Usage: npm run demo/)
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })
})
