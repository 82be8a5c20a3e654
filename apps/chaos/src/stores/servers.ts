import type { Fault } from '../nemesis/fault.ts'

interface Server {
  stop(): Promise<void>
  continue(): Promise<void>
  kill(): Promise<void>
  start(): Promise<void>
}

export interface Consequences {
  readonly breaks?: boolean
  /** What has to be waited for after it runs again. */
  readonly ready?: () => Promise<void>
}

/** A server is stopped for a while, or killed and started again. */
export function serverFaults(
  what: string,
  servers: () => Promise<readonly Server[]>,
  { breaks = false, ready = () => Promise.resolve() }: Consequences = {},
): Fault[] {
  const fault = (
    kind: string,
    befall: (server: Server) => Promise<void>,
    heal: (server: Server) => Promise<void>,
  ): Fault => ({
    kind,
    lasts: [0.1, 1.5],
    breaks,
    async inflict(_, chance) {
      const server = chance.oneOf(await servers())
      await befall(server)
      return {
        target: what,
        async heal() {
          await heal(server)
          await ready()
        },
      }
    },
  })
  return [
    fault(
      `${what} stopped`,
      (server) => server.stop(),
      (server) => server.continue(),
    ),
    fault(
      `${what} killed`,
      (server) => server.kill(),
      (server) => server.start(),
    ),
  ]
}
