import { only, type Fault, type History, type Hold } from './history.ts'
import { faultWithin, Findings, type Verdict } from './verdict.ts'

/**
 * No two clients believe at the same time in locks that conflict, and no more weight is held than there are permits. A
 * fault that breaks the store's assumption excuses it, if it was in force while the first of them held or `slack` ms
 * before; so does a theft.
 */
export function overlap(history: History, { slack }: { readonly slack: number }): Verdict {
  const findings = new Findings('overlap of holds')
  const faults = [...only(history, 'fault').filter(({ breaks }) => breaks), ...thefts(history)]
  for (const [name, holds] of Map.groupBy(only(history, 'hold').filter(isBelieved), (each) => each.name)) {
    const here = faults.filter(({ kind, target }) => kind !== 'theft' || target === name)
    let running: Hold[] = []
    for (const hold of holds.toSorted((a, b) => a.from - b.from)) {
      findings.checked++
      running = running.filter(({ until }) => until > hold.from)
      for (const others of inTheWay(running, hold)) {
        const since = Math.min(...others.map(({ from }) => from))
        const message = `${hold.client} has it while ${others.map(({ client }) => client).join(', ')} believed in it`
        const records = [...others, hold].map(({ id }) => id)
        const excuse = faultWithin(here, since - slack, Math.min(hold.until, ...others.map(({ until }) => until)))
        findings.add({ message, at: hold.from, name, records }, excuse)
      }
      running.push(hold)
    }
  }
  return findings.verdict()
}

/** Whoever was stopped until the grant had expired is handed a lock that says so from the first. */
const isBelieved = ({ readings: [first] }: Hold) => first?.held !== false

/** Each hold beside which this one cannot be; of permits, all of them together. */
function inTheWay(running: readonly Hold[], hold: Hold): Hold[][] {
  if (hold.mode !== 'permit') {
    return running.filter(({ mode }) => mode === 'exclusive' || hold.mode === 'exclusive').map((each) => [each])
  }
  const taken = [...running, hold].reduce((sum, { weight = 1 }) => sum + weight, 0)
  return taken > (hold.permits ?? 1) ? [[...running]] : []
}

/** Whoever is robbed may believe in the lock until it learns of it. */
export function thefts(history: History): Fault[] {
  return only(history, 'acquire')
    .filter(({ steal }) => steal)
    .map(({ name, invoked, completed }) => ({
      action: 'fault',
      kind: 'theft',
      target: name,
      from: invoked,
      until: completed,
      breaks: true,
      forgets: false,
    }))
}
