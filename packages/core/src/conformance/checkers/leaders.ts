import { only, type Acquire, type History, type Observed } from './history.ts'
import { faultWithin, Findings, type Verdict } from './verdict.ts'

/**
 * What observers of an election saw: nobody who had not asked to lead; each observer the leaders in the order of their
 * tokens, and none of them again once it was gone; and after everything has been healed, whoever
 * leads is seen by the observer beside it in time.
 */
export function leaders(history: History): Verdict {
  const findings = new Findings('leaders as observed')
  const campaigns = new Map(
    only(history, 'acquire')
      .filter(({ elects }) => elects)
      .map((each) => [each.id, each]),
  )
  const forgetting = only(history, 'fault').filter(({ forgets }) => forgets)
  const unsettling = only(history, 'fault').filter(({ forgets, breaks }) => forgets || breaks)
  const seen = only(history, 'observed').toSorted((a, b) => a.at - b.at)
  for (const views of Map.groupBy(seen, ({ client, observation, name }) =>
    JSON.stringify([client, observation, name]),
  ).values()) {
    let highest: Observed | undefined
    let last: Observed | undefined
    const former = new Map<number, { readonly since: number; readonly until: number }>()
    for (const view of views) {
      findings.checked++
      const { at, name, leader, token } = view
      const add = (message: string, records: readonly number[], excuse?: string) =>
        findings.add({ message: `${view.client} saw ${message}`, at, name, records }, excuse)
      if (last?.leader === leader) add(`${leader ?? 'nobody'} twice in a row`, [])
      else if (last?.leader) former.set(last.leader, { since: last.at, until: at })
      last = view
      if (leader === null) continue
      const before = former.get(leader)
      const campaign = campaigns.get(leader)
      // Whoever had not been told by then has not led: a grant that comes after its own deadline is given back.
      const led = before && (campaign?.completed ?? at) < before.until
      if (led) add(`${leader} lead again`, [leader], faultWithin(unsettling, before.since, at))
      if (campaign?.name !== name || campaign.invoked > at) add(`${leader} lead, who had not asked to`, [leader])
      const since = highest
      if (since && since.leader !== leader && token !== undefined && BigInt(since.token ?? 0) >= BigInt(token)) {
        const message = `token ${token} lead after token ${since.token}`
        add(message, [since.leader ?? 0, leader], faultWithin(forgetting, since.at, at))
      }
      if (!since || BigInt(token ?? 0) > BigInt(since.token ?? 0)) highest = view
    }
  }
  for (const { at, until, deadline } of only(history, 'heal')) {
    for (const campaign of campaigns.values()) {
      const { id, client, name, probe, outcome, invoked } = campaign
      if (!probe || outcome !== 'ok' || invoked < at || invoked > until) continue
      findings.checked++
      const found = seen.find((each) => each.client === client && each.leader === id)
      if (found && found.at <= deadline) continue
      const message = `${client} led and was not seen to by its own observer`
      findings.add({ message, at: endOf(campaign), name, records: [id] })
    }
  }
  return findings.verdict()
}

const endOf = ({ completed, invoked }: Acquire): number => completed ?? invoked
