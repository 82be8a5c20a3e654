import { subscribe } from 'node:diagnostics_channel'
import { LockError, type Capabilities, type LockEvents, type Warning } from '@locks/core'
import type { Ending } from '../child/ending.ts'
import { failureOf } from '../failure.ts'
import { adviceOn } from './advice.ts'
import { measure, type Measured } from './measurements.ts'
import { json, printable } from '../output/escape.ts'
import { onWarning } from '../output/notices.ts'
import { print } from '../output/tell.ts'
import { connect, type StoreOptions } from '../store/connect.ts'
import { locate, type Location } from '../store/location.ts'
import { shownUrl, withoutSecrets } from '../store/secrets.ts'

export interface DoctorOptions extends StoreOptions {
  readonly json?: boolean | undefined
}

interface Finding extends Warning {
  readonly advice?: string | undefined
}

interface Examined {
  readonly url: string
  readonly from: Location['from']
  readonly node: string
  readonly reachable: boolean
  readonly connectMs?: number
  readonly measured?: Measured
  readonly capabilities?: Capabilities
  readonly warnings: readonly Finding[]
  readonly problem?: Finding
}

/** Whether the store can be reached and how fast, what it promises, and what of it needs attention. */
export async function doctor(options: DoctorOptions): Promise<Ending> {
  const warnings: Finding[] = []
  onWarning((warning) => warnings.push({ ...warning, advice: adviceOn(warning.code) }))
  const silent = silentNodes()
  const location = locate(options, process.env)
  const about = { url: shownUrl(location.url), from: location.from, node: process.version, warnings }
  try {
    const found = await examine(options, location)
    warnings.push(...silent())
    show({ ...about, ...found, reachable: true }, options)
    return 0
  } catch (error) {
    const failure = failureOf(error)
    const { code, exitCode } = failure
    const message = withoutSecrets(failure.message)
    // Whoever warns or refuses for good has been reached.
    const isSilent = code === 'UNAVAILABLE' && warnings.length === 0 && LockError.find(error)?.temporary === true
    const advice = isSilent ? adviceOn(code) : undefined
    show({ ...about, reachable: false, problem: { code, message, advice } }, options)
    return exitCode
  }
}

/** The nodes of a quorum that have not answered, of which it warns nobody: locks work without them. */
function silentNodes(): () => Finding[] {
  const answering = new Set<number>()
  let nodes = 0
  subscribe('locks:node', (message) => {
    const told = message as LockEvents['locks:node']
    nodes = told.nodes
    if (told.state === 'answers') answering.add(told.node)
    else answering.delete(told.node)
  })
  const code = 'QUORUM_NODE'
  return () =>
    Array.from({ length: nodes }, (_, at) => at + 1)
      .filter((node) => !answering.has(node))
      .map((node) => ({ code, message: `node ${node} of ${nodes} does not answer`, advice: adviceOn(code) }))
}

async function examine(options: DoctorOptions, location: Location) {
  const started = performance.now()
  const locks = await connect(options, location)
  try {
    const connectMs = performance.now() - started
    return { connectMs, measured: await measure(locks, location.url), capabilities: locks.capabilities }
  } finally {
    await locks.close()
  }
}

function show(examined: Examined, options: DoctorOptions): void {
  print(options.json ? json(examined) : lines(examined).map(printable).join('\n'))
}

function lines(examined: Examined): string[] {
  const { url, from, node, connectMs, measured, capabilities, warnings, problem } = examined
  const said = (mark: string, { code, message, advice }: Finding) => [
    `${mark} ${message} (${code})`,
    ...(advice === undefined ? [] : [`    ${advice}`]),
  ]
  return [
    `store         ${url} (from ${from})`,
    `node          ${node}`,
    ...(problem ? said('FAILED', problem) : []),
    ...(connectMs === undefined ? [] : [`reachable     yes, connected in ${connectMs.toFixed(0)}ms`]),
    ...(measured ? measurements(measured) : []),
    ...(capabilities ? [`promises      ${promises(capabilities)}`] : []),
    ...warnings.flatMap((warning) => said('warning', warning)),
    ...(problem || warnings.length > 0 ? [] : ['no warnings']),
  ]
}

function measurements({ latencyMs: { median, max, rounds }, clock }: Measured): string[] {
  const offset = clock
    ? `${clock.offsetMs.toFixed(0)}ms ahead of this machine, give or take ${clock.uncertaintyMs.toFixed(0)}ms`
    : 'this store does not tell'
  return [
    `latency       ${median.toFixed(1)}ms a lock and its release, at most ${max.toFixed(1)}ms in ${rounds}`,
    `store's clock ${offset}`,
  ]
}

function promises({ ttl, takeover, ...rest }: Capabilities): string {
  const values = Object.entries(rest).map(([key, value]) => `${key} ${value}`)
  return [...values, `takeover ${takeover}ms after the ttl`, `ttl ${ttl.min}ms to ${ttl.max}ms`].join(', ')
}
