/** `node program.ts JSON`: one process with a client of a subject, which does what its parent asks for. */
import { subscribe } from 'node:diagnostics_channel'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BackendName } from '../names.ts'
import { subjectOf } from '../subjects/index.ts'
import type { Relay, Release } from '../subjects/subject.ts'
import { inWaves } from '../waves.ts'
import { machineTime, type MemberSpec, type MemberVerbs, type Turn } from './calls.ts'

const { backend, subject, ...place } = JSON.parse(process.argv[2] ?? '') as MemberSpec
const locker = await (await subjectOf(backend as BackendName, subject)).open(place)

let renewals = 0
subscribe('locks:renewed', () => renewals++)
subscribe('locks:warning', () => {})

const held: Release[] = []
let turns: Turn[] = []
let waits: Promise<unknown> = Promise.resolve()
let relay: Promise<Relay> | undefined

/** Subjects of one store must not meet. */
const own = (name: string) => `${subject}: ${name}`
const hold = (name: string) => (locker.hold ? locker.hold(own(name)) : locker.acquire(own(name)))

const verbs: MemberVerbs = {
  async hold(name) {
    held.push(await hold(name))
  },
  async release() {
    const moment = machineTime()
    await held.pop()?.()
    return moment
  },
  wait(name, waiters) {
    turns = []
    const each = async () => {
      const release = await locker.acquire(own(name))
      const granted = machineTime()
      turns.push([granted, machineTime()])
      await release()
    }
    waits = Promise.all(Array.from({ length: waiters }, each))
    waits.catch(() => {})
    return Promise.resolve()
  },
  waiting: (name) => Promise.resolve(locker.waiting?.(own(name))),
  async turns(patience) {
    await Promise.race([waits, sleep(patience, undefined, { ref: false })])
    return turns
  },
  async relay({ heard, words, passed, passes }) {
    const heardSoFar: Turn[] = []
    turns = heardSoFar
    relay ??= locker.relay?.()
    const way = await relay
    let finished = () => {}
    waits = new Promise<void>((resolve) => (finished = resolve))
    await way?.listen(heard, () => {
      heardSoFar.push([machineTime(), machineTime()])
      if (heardSoFar.length <= passes) way.pass(passed)
      if (heardSoFar.length === words) finished()
    })
  },
  async begin(channel) {
    const moment = machineTime()
    ;(await relay)?.pass(channel)
    return moment
  },
  async holdAll(names) {
    await inWaves(names, async (at) => void held.push(await hold(`held ${at}`)))
  },
  usage() {
    globalThis.gc?.()
    const { user, system } = process.cpuUsage()
    return Promise.resolve({ heap: process.memoryUsage().heapUsed, cpu: user + system, renewals })
  },
}

interface Call {
  readonly id: number
  readonly verb: keyof MemberVerbs
  readonly args: readonly unknown[]
}

const said = (message: object) => void process.send?.(message)

process.on('message', ({ id, verb, args }: Call) => {
  const answer = (verbs[verb] as (...given: readonly unknown[]) => Promise<unknown>)(...args)
  answer.then(
    (value) => said({ id, value }),
    (error: unknown) => said({ id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
said({ ready: true })
