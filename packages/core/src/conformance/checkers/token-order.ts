import { tokenSpacing } from '../../contract.ts'
import { only, type Acquire, type History } from './history.ts'
import { thefts } from './overlap.ts'
import { faultWithin, Findings, type Verdict } from './verdict.ts'

/**
 * Tokens follow real time: a grant that was asked for after another had been answered has the higher token, unless
 * both are shared; and no two grants that conflict have the same one. A fault that makes the store forget excuses what
 * comes after it. So does a theft, or what breaks the store's exclusion, of a lock that is handed on by a manager that has
 * not heard of it, for as long as `slack` ms. Permits' tokens have no order.
 */
export function tokenOrder(history: History, { slack = 0 }: { readonly slack?: number } = {}): Verdict {
  const findings = new Findings('token order')
  const forgetting = only(history, 'fault').filter(({ forgets }) => forgets)
  const taking = [...only(history, 'fault').filter(({ breaks }) => breaks), ...thefts(history)]
  for (const [name, grants] of byName(history)) {
    const here = taking.filter(({ kind, target }) => kind !== 'theft' || target === name)
    const asked = grants.toSorted((a, b) => a.invoked - b.invoked)
    const answered = grants.toSorted((a, b) => a.completed - b.completed)
    const highest: { any?: Grant; exclusive?: Grant } = {}
    const seen = new Map<bigint, Grant>()
    let next = 0
    for (const grant of asked) {
      for (; answered[next] && (answered[next] as Grant).completed < grant.invoked; next++) {
        const earlier = answered[next] as Grant
        highest.any = higher(highest.any, earlier)
        if (earlier.mode === 'exclusive') highest.exclusive = higher(highest.exclusive, earlier)
      }
      findings.checked++
      const before = grant.mode === 'shared' ? highest.exclusive : highest.any
      const twin = seen.get(grant.number)
      const other = before && before.number >= grant.number ? before : twin && conflicts(twin, grant) ? twin : undefined
      if (other) {
        const message = `token ${grant.number} of ${grant.client} after token ${other.number} of ${other.client}`
        const excuse =
          faultWithin(forgetting, other.invoked, grant.completed) ??
          (other === twin || !isHandedOn(grant, grants)
            ? undefined
            : faultWithin(here, grant.invoked - slack, grant.completed))
        findings.add({ message, at: grant.completed, name: grant.name, records: [other.id, grant.id] }, excuse)
      }
      seen.set(grant.number, grant)
    }
  }
  return findings.verdict()
}

interface Grant extends Acquire {
  readonly completed: number
  readonly number: bigint
}

function byName(history: History): Map<string, Grant[]> {
  const grants = only(history, 'acquire').flatMap((each): Grant[] => {
    const { mode, outcome, token, completed } = each
    if (mode === 'permit' || outcome !== 'ok' || token === undefined || completed === null) return []
    return [{ ...each, completed, number: BigInt(token) }]
  })
  return Map.groupBy(grants, ({ name }) => name)
}

/** Whether its client had the name before by the same grant, of which each holder has a token of its own. */
const isHandedOn = ({ inLine, client, number, id }: Grant, grants: readonly Grant[]): boolean =>
  inLine === true &&
  grants.some((each) => {
    const turns = number - each.number
    return each.client === client && each.id !== id && turns > 0n && turns < BigInt(tokenSpacing)
  })

const higher = (a: Grant | undefined, b: Grant): Grant => (a && a.number >= b.number ? a : b)

const conflicts = (a: Grant, b: Grant): boolean => a.mode === 'exclusive' || b.mode === 'exclusive'
