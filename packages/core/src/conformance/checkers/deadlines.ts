import { only, type History, type Hold, type Reading } from './history.ts'
import { Findings, type Verdict } from './verdict.ts'

/** Clocks are read one after the other. */
const tolerance = 1

/**
 * Nobody believes in a lock past its own deadline: what `held` says agrees with `expiresAt`; the deadline is never
 * further away than the ttl less its margin; and nothing but an answer of the store puts it off, so that after a time
 * in which none can have been read the deadline of before still holds.
 */
export function deadlines(history: History, { ttl }: { readonly ttl: number }): Verdict {
  const findings = new Findings('holds past their deadline')
  const longest = ttl - Math.max(ttl / 10, 250)
  for (const hold of only(history, 'hold')) {
    for (const reading of hold.readings) {
      findings.checked++
      const message = complaint(reading, longest)
      if (message !== undefined)
        findings.add({ message: about(hold, message), at: reading.at, name: hold.name, records: [hold.id] })
    }
  }
  return findings.verdict()
}

function complaint({ at, held, expiresAt, blocked }: Reading, longest: number): string | undefined {
  if (!held) return undefined
  if (at > expiresAt + tolerance) return `held ${round(at - expiresAt)} ms after its deadline`
  if (blocked && at > blocked.expiresAt + tolerance) {
    return `held ${round(at - blocked.expiresAt)} ms after the deadline that it had when its process stopped`
  }
  if (expiresAt - at > longest + tolerance)
    return `its deadline is ${round(expiresAt - at)} ms away, at most ${longest}`
  return undefined
}

const about = ({ client }: Hold, message: string): string => `${client}: ${message}`
const round = (ms: number): string => ms.toFixed(1)
