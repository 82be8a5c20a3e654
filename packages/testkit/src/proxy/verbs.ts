import type { FramingName } from './framing.ts'

export interface LineOptions {
  /** One listening port for each. */
  readonly upstreams: readonly Upstream[]
  /** Of the protocol as it is written: under TLS no request is counted, and none asks for notifications. */
  readonly framing: FramingName
  /**
   * For how long, ms, a server that refuses a connection is tried again: to a client it seems to be there already, and
   * some would rather be refused. None if absent.
   */
  readonly patience?: number
}

export interface Upstream {
  readonly host: string
  readonly port: number
}

/** What the proxy's process can be asked to do. */
export interface ProxyVerbs {
  open(options: LineOptions): Promise<{ readonly id: number; readonly ports: readonly number[] }>
  /**
   * Asks something of a line. What clients had written before it was asked, and servers had answered, has been treated
   * as things stood before.
   */
  ask(line: number, verb: keyof LineVerbs, args: readonly unknown[]): Promise<unknown>
}

export interface LineVerbs {
  silence(): void
  silenceFrom(sender: string): void
  dropAnswers(): void
  delayAnswers(): void
  cut(): void
  deafen(): void
  reconnect(): void
  heal(): void
  sent(): number
  roundTrips(): number
  slow(ms: number): void
  reset(): void
  cutInFrame(): void
  rewrite(from: string, to: string): void
  redirect(upstreams: readonly Upstream[]): void
  close(): Promise<void>
}
