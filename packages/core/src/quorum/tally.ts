import type { Entry } from '../contract.ts'

/**
 * What the nodes have about a name, as one list: a client holds as often as it does at a majority, and waits as often as it
 * is found elsewhere. The claims of one client cannot be told apart, because ids are secret; while several of them are
 * on their way from node to node, this is an estimate.
 */
export function tally(answers: readonly (readonly Entry[])[], majority: number): Entry[] {
  const groups = new Map<string, Entry[][]>()
  answers.forEach((entries, at) => {
    for (const entry of entries) {
      const key = `${entry.clientId} ${entry.mode} ${entry.value ?? ''}`
      const group = groups.get(key) ?? answers.map(() => [])
      groups.set(key, group)
      group[at]?.push(entry)
    }
  })
  const found = [...groups.values()].flatMap((group) => claims(group, majority))
  return [...found.filter(({ holds }) => holds), ...found.filter(({ holds }) => !holds)]
}

/** The claims of one client, from what each node has of them. */
function claims(group: readonly (readonly Entry[])[], majority: number): Entry[] {
  const holding = group.map((entries) => entries.filter(({ holds }) => holds))
  const counts = holding.map((entries) => entries.length).toSorted((a, b) => b - a)
  const holders = counts[majority - 1] ?? 0
  const total = Math.max(...group.map((entries) => entries.length))
  const fullest = group.find((entries) => entries.length === total) ?? []
  return Array.from({ length: Math.max(total, holders) }, (_, index) => {
    const votes = holding.flatMap((entries) => entries[index] ?? [])
    const { token, ...entry } = votes[0] ?? (fullest[index] as Entry)
    if (index >= holders) return { ...entry, holds: false }
    // Where they differ, only its holder knows: votes that came after the grant may have higher ones of their own.
    return { ...entry, token: votes.every((vote) => vote.token === token) ? token : undefined }
  })
}

/** Whether somebody holds with a value. */
export const leads = (entries: readonly Entry[]): boolean =>
  entries.some(({ holds, value }) => holds && value !== undefined)

/** Whether a claim with a value holds at so many nodes, which with those that have not answered would be a majority. */
export function mayLead(answers: readonly (readonly Entry[])[], enough: number): boolean {
  const votes = answers.flatMap((entries) => entries.flatMap(({ holds, value }) => (holds ? (value ?? []) : [])))
  return [...Map.groupBy(votes, (value) => value).values()].some(({ length }) => length >= Math.max(1, enough))
}
