import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { Connection, type Condition, type Terms } from './connection.ts'
import { reset } from './flow.ts'
import { framings } from './framing.ts'
import type { LineOptions, LineVerbs, Upstream } from './verbs.ts'

/** Clients on one side, the servers of one store on the other. What befalls it, befalls every connection. */
export class Line implements LineVerbs, Terms {
  latency = 0
  readonly patience: number
  readonly #framing: LineOptions['framing']
  readonly #servers: Server[]
  #upstreams: readonly Upstream[]
  readonly #connections = new Set<Connection>()
  readonly #silenced = new Set<string>()
  readonly #rewritings: [from: string, to: string][] = []
  #condition: Condition | 'cut' = 'healthy'
  #sent = 0
  #roundTrips = 0
  #cutsNext = false

  constructor({ upstreams, framing, patience = 0 }: LineOptions) {
    this.#framing = framing
    this.patience = patience
    this.#upstreams = upstreams
    this.#servers = upstreams.map((_, at) =>
      createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client, at)),
    )
  }

  async listen(): Promise<number[]> {
    await Promise.all(this.#servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')))
    return this.#servers.map((server) => (server.address() as AddressInfo).port)
  }

  async close(): Promise<void> {
    this.reset()
    await Promise.all(this.#servers.map((server) => once(server.close(), 'close')))
  }

  silence(): void {
    this.#befall('silent')
  }

  silenceFrom(sender: string): void {
    this.#silenced.add(sender)
    if (this.#condition !== 'cut') this.#befall(this.#condition)
  }

  isSilenced(sender: string | undefined): boolean {
    return sender !== undefined && this.#silenced.has(sender)
  }

  dropAnswers(): void {
    this.#befall('answerless')
  }

  delayAnswers(): void {
    this.#befall('late')
  }

  deafen(): void {
    this.#befall('deaf')
  }

  heal(): void {
    this.#silenced.clear()
    this.#befall('healthy')
  }

  cut(): void {
    this.#condition = 'cut'
    this.reset()
  }

  reconnect(): void {
    this.#condition = 'healthy'
    for (const connection of this.#connections) connection.abandon()
  }

  reset(): void {
    for (const connection of this.#connections) connection.reset()
    this.#connections.clear()
  }

  slow(ms: number): void {
    this.latency = ms
  }

  cutInFrame(): void {
    this.#cutsNext = true
  }

  takeCut(): boolean {
    const taken = this.#cutsNext
    this.#cutsNext = false
    return taken
  }

  rewrite(from: string, to: string): void {
    this.#rewritings.push([from, to])
    for (const connection of this.#connections) connection.rewrite(from, to)
  }

  redirect(upstreams: readonly Upstream[]): void {
    this.#upstreams = upstreams
  }

  count(requests: number, begins: boolean): void {
    this.#sent += requests
    if (requests > 0 && begins) this.#roundTrips++
  }

  sent(): number {
    return this.#sent
  }

  roundTrips(): number {
    return this.#roundTrips
  }

  #befall(condition: Condition): void {
    this.#condition = condition
    for (const connection of this.#connections) connection.condition = condition
  }

  #accept(client: Socket, at: number): void {
    const upstream = this.#upstreams[at]
    if (this.#condition === 'cut' || !upstream) {
      reset(client)
      return
    }
    const framing = framings[this.#framing]()
    const closed = () => this.#connections.delete(connection)
    const connection = new Connection({ client, upstream }, this.#condition, this, framing, closed)
    for (const [from, to] of this.#rewritings) connection.rewrite(from, to)
    this.#connections.add(connection)
  }
}
