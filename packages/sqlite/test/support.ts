import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  encodeName,
  systemClock,
  systemRandom,
  type Clock,
  type Grant,
  type Loss,
  type Request,
  type Session,
} from '@locks/core/backend'
import { sqlite } from '@locks/sqlite'
import { afterEach } from 'vitest'

/** To be undone when the test is over, the latest first. */
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

export function cleanup(clean: () => unknown): void {
  cleanups.push(clean)
}

/** A folder that goes with the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'locks-sqlite-'))
  cleanup(() => rmSync(made, { recursive: true, force: true }))
  return made
}

export const database = (): string => join(folder(), 'locks.db')

export interface Opened {
  readonly session: Session
  readonly granted: Grant[]
  readonly lost: [id: string, how: Loss][]
}

/** A session with what it was told. */
export async function open(
  path: string,
  options: { ttl?: number; clock?: Clock; namespace?: string } = {},
): Promise<Opened> {
  const granted: Grant[] = []
  const lost: [string, Loss][] = []
  const session = await sqlite({ path }).open({
    namespace: options.namespace ?? 'test',
    clientId: systemRandom.id(),
    owner: 'tester',
    ttl: options.ttl ?? 10_000,
    clock: options.clock ?? systemClock,
    random: systemRandom,
    events: { granted: (grant) => granted.push(grant), lost: (id, how) => lost.push([id, how]) },
  })
  cleanup(() => session.close())
  return { session, granted, lost }
}

/** An exclusive claim that waits, with what is said otherwise. */
export function request(name: string, rest: Partial<Request> = {}): Request {
  return { id: systemRandom.id(), names: [encodeName(name)], mode: 'exclusive', wait: true, steal: false, ...rest }
}

/** Waits for a condition; the test's own time-out is the bound. */
export async function until(condition: () => unknown): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2))
}

/** Long enough for what has been called to be done, and for what follows from it at once. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A clock that goes by the machine's, with a wall that a test can set. */
export class SetClock implements Clock {
  offset = 0

  now(): { mono: number; wall: number } {
    const { mono, wall } = systemClock.now()
    return { mono, wall: wall + this.offset }
  }

  after(ms: number, run: () => void): { cancel(): void } {
    return systemClock.after(ms, run)
  }
}

export interface Child {
  readonly process: ChildProcess
  /** The next message from it; rejects when it ends first. */
  next(): Promise<Record<string, unknown>>
  send(message: unknown): void
  readonly exit: Promise<number | null>
}

export interface ChildOptions {
  readonly flags?: readonly string[]
  /** A user without rights; needs a test run as root, and is the same user otherwise, who has no more. */
  readonly unprivileged?: boolean
  /** Shell commands to run before it. */
  readonly shell?: string
}

/** A process that runs one of the roles in child.ts. */
export function child(role: string, args: unknown, { flags = [], unprivileged, shell }: ChildOptions = {}): Child {
  const argv = [
    '--conditions=@locks/source',
    ...flags,
    join(import.meta.dirname, 'child.ts'),
    role,
    JSON.stringify(args),
  ]
  const user = unprivileged && process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const options = { stdio: ['pipe', 'pipe', 'inherit'] as const, ...user }
  const made =
    shell === undefined
      ? spawn(process.execPath, argv, { ...options, stdio: ['pipe', 'pipe', 'inherit'] })
      : spawn('bash', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...argv], {
          ...options,
          stdio: ['pipe', 'pipe', 'inherit'],
        })
  const exit = new Promise<number | null>((resolve) => made.once('close', resolve))
  cleanup(async () => {
    made.kill('SIGKILL')
    await exit
  })
  const messages: Record<string, unknown>[] = []
  const waiting: ((message: Record<string, unknown>) => void)[] = []
  createInterface({ input: made.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as Record<string, unknown>
    const first = waiting.shift()
    if (first) first(message)
    else messages.push(message)
  })
  return {
    process: made,
    exit,
    send: (message) => void made.stdin.write(`${JSON.stringify(message)}\n`),
    next() {
      const ready = messages.shift()
      if (ready) return Promise.resolve(ready)
      const message = new Promise<Record<string, unknown>>((resolve) => waiting.push(resolve))
      const ended = exit.then((code) => {
        throw new Error(`the child ended with ${code} before it answered`)
      })
      return Promise.race([message, ended])
    },
  }
}
