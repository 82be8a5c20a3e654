import type { Chance } from '../chance.ts'
import type { Line } from './lines.ts'

/** Which of a client's lines a fault befalls. */
export interface Reach {
  /** Behind the fault's name. */
  readonly words: string
  readonly weight: number
  /** Whether whoever is left with the others has too few of them. */
  readonly decides: boolean
  /** `nodes`: which ones, in words. */
  pick(clients: readonly (readonly Line[])[], chance: Chance): { readonly lines: Line[]; readonly nodes: string }
}

/** The only one that it has. */
export const whole: Reach = {
  words: '',
  weight: 1,
  decides: true,
  pick: (clients) => ({ lines: clients.flat(), nodes: '' }),
}

/** The same servers for all clients, or others for each: then a server is there for some, and not for others. */
const some = (
  words: string,
  weight: number,
  decides: boolean,
  count: (of: number, chance: Chance) => number,
): Reach => ({
  words,
  weight,
  decides,
  pick(clients, chance) {
    const draw = (of: number) =>
      chance.several(
        Array.from({ length: of }, (_, at) => at),
        count(of, chance),
      )
    const [first = []] = clients
    const common = chance.unit() < 0.5 ? draw(first.length) : undefined
    const lines = clients.flatMap((own) => {
      const drawn = common ?? draw(own.length)
      return own.filter((_, at) => drawn.includes(at))
    })
    const which = common?.map((at) => at + 1).join(', ') ?? 'of its own for each'
    return { lines, nodes: `, nodes ${which}` }
  },
})

/** What befalls independent servers: too few of them to matter, and too many to be done without. */
export const reaches: readonly Reach[] = [
  some(' to a minority', 1, false, (of) => (of - 1) / 2),
  some(' to a majority', 0.5, true, (of, chance) => chance.oneOf([(of + 1) / 2, of])),
]
