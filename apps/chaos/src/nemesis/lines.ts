import type { LineWire, ProxyLine } from '@locks/testkit'
import type { Chance } from '../chance.ts'
import type { Fault, Field } from './fault.ts'

/** A client's way to its store, and what may befall it. */
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
}

const heal = ({ wire }: Line) => wire.heal()

const faults: readonly LineFault[] = [
  { kind: 'line silent', lasts: [0.1, 2], befall: ({ wire }) => wire.silence(), heal },
  { kind: 'answers dropped', lasts: [0.1, 1.5], befall: ({ wire }) => wire.dropAnswers(), heal },
  { kind: 'answers late', lasts: [0.1, 1.5], befall: ({ wire }) => wire.delayAnswers(), heal },
  { kind: 'line cut', lasts: [0.1, 1.5], befall: ({ wire }) => wire.cut(), heal },
  { kind: 'notifications lost', lasts: [0.3, 2], befall: ({ wire }) => wire.deafen(), heal },
  {
    kind: 'half open',
    lasts: [0.2, 1],
    befall: ({ wire }) => wire.silence(),
    // What the old connection had taken arrives behind what the new one brings.
    heal: ({ wire }) => wire.reconnect().then(() => wire.heal()),
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

/** All of them; `network`: also those of streams of bytes. */
export function lineFaults({ network, breaks }: { readonly network: boolean; readonly breaks: boolean }): Fault[] {
  return [...faults, ...(network ? bytes : [])].map(({ kind, lasts, befall, heal: healed }) => ({
    kind,
    lasts,
    breaks,
    async inflict(field, chance) {
      const { lines, target } = victims(field, chance)
      if (lines.length === 0) return undefined
      await Promise.all(lines.map((line) => befall(line, chance)))
      if (!healed) return { target }
      return { target, heal: async () => void (await Promise.all(lines.map((line) => healed(line)))) }
    },
  }))
}

/** Everybody's line or one client's; the prober's too, or nothing would be known of the chances meanwhile. */
function victims({ lines, crew }: Field, chance: Chance): { lines: Line[]; target: string } {
  const all = [...lines]
  if (chance.unit() < 0.4) return { lines: all.map(([, line]) => line), target: 'all lines' }
  const one = chance.oneOf(all.filter(([, { probes }]) => !probes))
  const client = crew.members.find(({ place }) => place === one?.[0])?.client ?? 'nobody'
  return { lines: all.filter((each) => each === one || each[1].probes).map(([, line]) => line), target: client }
}
