import type { Backend, Entry, Request, Session, SessionOptions } from '@locks/core/backend'

/** A request that waits outside of the store. */
interface Guest {
  readonly request: Request
  readonly session: Session
  readonly options: SessionOptions
}

export interface Manners {
  /** Whether a newcomer is let in where others wait and there is room. */
  readonly barges?: (request: Request) => boolean
  /** The order in which those who wait are tried. */
  readonly turn?: (guests: readonly Guest[]) => readonly Guest[]
  /** Whether one who has no room holds up those behind. */
  readonly headOfLine?: boolean
  /** Whether a release makes anybody look. */
  readonly wakes?: boolean
}

/**
 * A queue that stands before the store and tries for its guests whenever something may have changed. With the right
 * manners it is first come, first served; a museum piece has others.
 */
export function lobby(backend: Backend, manners: Manners): Backend {
  const { barges = () => false, turn = (guests) => guests, headOfLine = true, wakes = true } = manners
  let guests: readonly Guest[] = []

  const at = ({ options, request }: Guest, place: SessionOptions, name: string) =>
    options.namespace === place.namespace && request.names.includes(name)

  async function serve(place: SessionOptions, names: readonly string[]): Promise<void> {
    for (const name of names) {
      for (const guest of turn(guests.filter((each) => at(each, place, name)))) {
        const answer = await guest.session.acquire({ ...guest.request, wait: false })
        if (answer !== null && answer !== 'queued') {
          guests = guests.filter((each) => each !== guest)
          guest.options.events.granted(answer)
        } else if (headOfLine) break
      }
    }
  }

  return {
    ...backend,
    async open(options) {
      const session = await backend.open(options)
      const mine = (id: string) => guests.find((each) => each.session === session && each.request.id === id)
      const leave = async () => {
        const names = guests.filter((each) => each.session === session).flatMap(({ request }) => request.names)
        guests = guests.filter((each) => each.session !== session)
        await session.close()
        await serve(options, names)
      }
      return {
        ttl: session.ttl,
        ordered: session.ordered,
        leases: session.leases,
        ended: session.ended,
        async acquire(request) {
          if (mine(request.id)) return 'queued'
          const behind = request.names.some((name) => guests.some((each) => at(each, options, name)))
          const answer = behind && !barges(request) ? null : await session.acquire({ ...request, wait: false })
          if (answer !== null || !request.wait) return answer
          guests = [...guests, { request, session, options }]
          return 'queued'
        },
        async renew(claims) {
          const standings = new Map(await session.renew(claims.filter(({ id }) => !mine(id))))
          for (const { id, names } of claims) {
            if (mine(id)) standings.set(id, { sent: options.clock.now(), ttl: session.ttl })
            await serve(options, names)
          }
          return standings
        },
        async remove(claim) {
          const guest = mine(claim.id)
          guests = guests.filter((each) => each !== guest)
          const found = guest !== undefined || (await session.remove(claim))
          if (wakes) await serve(options, claim.names)
          return found
        },
        own: async () => [
          ...(await session.own()),
          ...guests.filter((each) => each.session === session).map(({ request }) => request),
        ],
        async query(name) {
          const here = guests.filter((each) => name === undefined || at(each, options, name))
          return [...(await session.query(name)), ...here.map(entry)]
        },
        close: leave,
      }
    },
  }
}

function entry({ request, options }: Guest): Entry {
  const { names, mode, permits, weight } = request
  const { clientId, owner } = options
  return { name: names[0] as string, mode, permits, weight, clientId, owner, holds: false }
}
