import type { Act, Course } from './acts/act.ts'
import type { Audit } from './stock.ts'

/** What was not as it must be in an act; nothing is as it should. `told` is how many sales the workers told of. */
export function faultsOf(act: Act, course: Course, audit: Audit, told: number): string[] {
  const { sales, taken, soldTwice } = audit
  const found = [...(course.faults ?? [])]
  if (sales !== told) found.push(`the workers told of ${told} sales, the ledger has ${sales}`)
  if (act.harm && soldTwice === 0) found.push('no unit was sold twice')
  if (!act.harm && soldTwice > 0) found.push(`sold twice: ${soldTwice}`)
  if (!act.harm && sales !== taken) found.push(`${sales} sales, but the stock fell by ${taken}`)
  return found
}
