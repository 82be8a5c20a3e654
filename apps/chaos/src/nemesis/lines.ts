import type { LineWire, ProxyLine } from '@locks/testkit'
import type { Chance } from '../chance.ts'
import type { Fault, Field } from './fault.ts'
import { reaches, whole, type Reach } from './reach.ts'

/** A client's way to its store, or to one server of several, and what may befall it. */
export interface Line {
  readonly wire: Omit<LineWire, 'sent' | 'roundTrips'>
  slow?(ms: number): Promise<void>
  reset?(): Promise<void>
  cutInFrame?(): Promise<void>
  /** New connections go there. */
  redirect?(upstreams: Parameters<ProxyLine['redirect']>[0]): Promise<void>
  /** Whether whoever's line it is only tries and looks. */
  readonly probes: boolean
}

interface LineFault {
  readonly kind: string
  readonly lasts: readonly [from: number, to: number]
  readonly befall: (line: Line, chance: Chance) => Promise<unknown>
  readonly heal?: (line: Line) => Promise<unknown>
  /** Whether no answer comes through. */
  readonly mute?: boolean
}

const heal = ({ wire }: Line) => wire.heal()

const faults: readonly LineFault[] = [
  { kind: 'line silent', lasts: [0.1, 2], befall: ({ wire }) => wire.silence(), heal, mute: true },
  { kind: 'answers dropped', lasts: [0.1, 1.5], befall: ({ wire }) => wire.dropAnswers(), heal, mute: true },
  { kind: 'answers late', lasts: [0.1, 1.5], befall: ({ wire }) => wire.delayAnswers(), heal },
  { kind: 'line cut', lasts: [0.1, 1.5], befall: ({ wire }) => wire.cut(), heal, mute: true },
  { kind: 'notifications lost', lasts: [0.3, 2], befall: ({ wire }) => wire.deafen(), heal },
  {
    kind: 'half open',
    lasts: [0.2, 1],
    befall: ({ wire }) => wire.silence(),
    // What the old connection had taken arrives behind what the new one brings.
    heal: ({ wire }) => wire.reconnect().then(() => wire.heal()),
    mute: true,
  },
]

const bytes: readonly LineFault[] = [
  { kind: 'connections reset', lasts: [0, 0], befall: async (line) => line.reset?.() },
  { kind: 'cut in mid frame', lasts: [0, 0], befall: async (line) => line.cutInFrame?.() },
  {
    kind: 'line slow',
    lasts: [0.3, 1.5],
    befall: async (line, chance) => line.slow?.(chance.between(5, 120)),
    heal: async (line) => line.slow?.(0),
  },
]

interface LineFaultOptions {
  /** Whether there are also those of streams of bytes. */
  readonly network: boolean
  readonly breaks: boolean
  /** Whether each client has a line to each server, and a fault befalls some of them. */
  readonly apart?: boolean
}

/** All of them. */
export function lineFaults({ network, breaks, apart = false }: LineFaultOptions): Fault[] {
  const all = [...faults, ...(network ? bytes : [])]
  return (apart ? reaches : [whole]).flatMap((reach) => all.map((fault) => lineFault(fault, reach, breaks)))
}

function lineFault({ kind, lasts, befall, heal: healed, mute }: LineFault, reach: Reach, breaks: boolean): Fault {
  return {
    kind: `${kind}${reach.words}`,
    lasts,
    breaks,
    weight: reach.weight,
    async inflict(field, chance) {
      const found = victims(field, chance)
      if (found.clients.length === 0) return undefined
      const { lines, nodes } = reach.pick(found.clients, chance)
      const target = `${found.target}${nodes}`
      await Promise.all(lines.map((line) => befall(line, chance)))
      if (!healed) return { target }
      return {
        target,
        refuses: mute === true && reach.decides && found.everybody,
        heal: async () => void (await Promise.all(lines.map((line) => healed(line)))),
      }
    },
  }
}

interface Victims {
  /** The lines of each. */
  readonly clients: readonly (readonly Line[])[]
  readonly everybody: boolean
  readonly target: string
}

/** Everybody or one client; the prober too, or nothing would be known of the chances meanwhile. */
function victims({ lines, crew }: Field, chance: Chance): Victims {
  const all = [...lines]
  const probes = ([, own]: (typeof all)[number]) => own.some((line) => line.probes)
  if (chance.unit() < 0.4) return { clients: all.map(([, own]) => own), everybody: true, target: 'all lines' }
  const one = chance.oneOf(all.filter((each) => !probes(each)))
  const client = crew.members.find(({ place }) => place === one?.[0])?.client ?? 'nobody'
  const clients = all.filter((each) => each === one || probes(each)).map(([, own]) => own)
  return { clients, everybody: false, target: client }
}
