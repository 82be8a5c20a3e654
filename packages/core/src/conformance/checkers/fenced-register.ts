import { accesses, only, type Access, type History } from './history.ts'
import { faultWithin, Findings, type Verdict } from './verdict.ts'

/**
 * A resource that checks tokens accepts none lower than one that it has accepted before (a shared one only counts
 * against exclusive ones); and what one shared holder reads twice is the same. Tokens order all accesses, so one pass
 * in real time decides.
 */
export function fencedRegister(history: History): Verdict {
  const findings = new Findings('fenced register')
  const forgetting = only(history, 'fault').filter(({ forgets }) => forgets)
  const accepted = accesses(history).filter(({ checked, outcome }) => checked && outcome === 'ok')
  for (const each of Map.groupBy(accepted, ({ resource }) => resource).values()) {
    const asked = each.toSorted((a, b) => a.invoked - b.invoked)
    const answered = each.toSorted((a, b) => ended(a) - ended(b))
    const highest: { any?: Access; exclusive?: Access } = {}
    let next = 0
    for (const access of asked) {
      for (; answered[next] && ended(answered[next] as Access) < access.invoked; next++) {
        const earlier = answered[next] as Access
        highest.any = higher(highest.any, earlier)
        if (earlier.mode === 'exclusive') highest.exclusive = higher(highest.exclusive, earlier)
      }
      findings.checked++
      const before = access.mode === 'shared' ? highest.exclusive : highest.any
      if (before && tokenOf(before) > tokenOf(access)) {
        const message = `${access.action} with token ${access.token} accepted after token ${before.token}`
        const excuse = faultWithin(forgetting, before.invoked, ended(access))
        findings.add({ message, at: ended(access), name: access.resource, records: [before.id, access.id] }, excuse)
      }
    }
    steadyReads(asked, findings)
  }
  return findings.verdict()
}

function steadyReads(accesses: readonly Access[], findings: Findings): void {
  const shared = accesses.filter(({ action, mode }) => action === 'read' && mode === 'shared')
  for (const reads of Map.groupBy(shared, ({ acquire }) => acquire).values()) {
    const [first] = reads
    const changed = first && reads.find(({ base }) => base !== first.base)
    if (!changed) continue
    const message = `a reader with token ${first.token} found ${first.base}, then ${changed.base}`
    findings.add({ message, at: ended(changed), name: first.resource, records: [first.id, changed.id] })
  }
}

const ended = ({ completed }: Access): number => completed ?? Number.POSITIVE_INFINITY
const tokenOf = ({ token }: Access): bigint => BigInt(token ?? 0)
const higher = (a: Access | undefined, b: Access): Access => (a && tokenOf(a) >= tokenOf(b) ? a : b)
