import type { Wire } from '@locks/core/conformance'
import { Program } from '../program.ts'
import type { LineOptions, LineVerbs, ProxyVerbs, Upstream } from './verbs.ts'

/** A TCP proxy in a process of its own, with any number of lines that fail on demand. */
export interface Proxy {
  readonly pid: number
  line(options: LineOptions): Promise<ProxyLine>
  end(): Promise<void>
}

/** Between clients and the servers of one store. Whatever is asked of it is in force when the promise resolves. */
export interface ProxyLine {
  /** On 127.0.0.1, one for each upstream, in the same order. */
  readonly ports: readonly number[]
  readonly wire: LineWire
  /** Adds latency each way, ms, from now on; 0 for none. The order is kept. */
  slow(ms: number): Promise<void>
  /** Nothing passes, either way, of what one of the clients has opened, nor of what it will open, until the line heals. */
  silenceFrom(sender: string): Promise<void>
  /** Resets all connections; new ones pass. */
  reset(): Promise<void>
  /** The next answer arrives but for its end, and its connection is reset. */
  cutInFrame(): Promise<void>
  /** From now on `from` is replaced in all answers; `to` is as long, and neither breaks a line. */
  rewrite(from: string, to: string): Promise<void>
  /** New connections go to these servers, as when an address moves to another machine; those that there are stay. */
  redirect(upstreams: readonly Upstream[]): Promise<void>
  close(): Promise<void>
}

/** All that the line can do of what the conformance suite asks for; how a session ends is for the backend to say. */
export type LineWire = Omit<Wire, 'end'>

export function startProxy(): Promise<Proxy> {
  const program = new Program<ProxyVerbs>(new URL('./program.ts', import.meta.url))
  return Promise.resolve({
    pid: program.pid,
    line: (options) => openLine(program, options),
    end: () => program.end(),
  })
}

async function openLine(program: Program<ProxyVerbs>, options: LineOptions): Promise<ProxyLine> {
  const { id, ports } = await program.call('open', options)
  const ask = async <K extends keyof LineVerbs>(verb: K, ...args: Parameters<LineVerbs[K]>) =>
    (await program.call('ask', id, verb, args)) as Awaited<ReturnType<LineVerbs[K]>>
  return {
    ports,
    wire: {
      silence: () => ask('silence'),
      dropAnswers: () => ask('dropAnswers'),
      delayAnswers: () => ask('delayAnswers'),
      cut: () => ask('cut'),
      deafen: () => ask('deafen'),
      reconnect: () => ask('reconnect'),
      heal: () => ask('heal'),
      sent: () => ask('sent'),
      roundTrips: () => ask('roundTrips'),
    },
    slow: (ms) => ask('slow', ms),
    silenceFrom: (sender) => ask('silenceFrom', sender),
    reset: () => ask('reset'),
    cutInFrame: () => ask('cutInFrame'),
    rewrite: (from, to) => ask('rewrite', from, to),
    redirect: (upstreams) => ask('redirect', upstreams),
    close: async () => ask('close'),
  }
}
