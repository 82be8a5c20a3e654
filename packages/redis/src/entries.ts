import { decodeName, type Entry, type Mode } from '@locks/core/backend'

const modes: Readonly<Record<string, Mode>> = { e: 'exclusive', s: 'shared', p: 'permit' }

interface Found {
  readonly entry: Entry
  readonly order: number
}

/** What the fields of a name's hash say of those who hold it and those who wait; `lua/prelude.ts` describes them. */
export function entriesOf(now: number, fields: readonly string[], name: string | undefined): Entry[] {
  const hash = new Map<string, string>()
  for (let at = 0; at < fields.length; at += 2) hash.set(fields[at] ?? '', fields[at + 1] ?? '')
  const given = name ?? hash.get('a')
  if (given === undefined) return []
  const permits = Number(hash.get('l'))
  const found: Found[] = []
  for (const [field, record] of hash) {
    if (!field.startsWith('#')) continue
    const id = field.slice(1)
    if (Number.parseInt(hash.get(`=${id}`) ?? '', 10) <= now) continue
    const [state, mode = '', weight, number = '', since, clientId = ''] = record.split(' ')
    const holds = state === 'h'
    const value = hash.get(`$${id}`)
    const entry: Entry = {
      name: given,
      mode: modes[mode] ?? 'exclusive',
      ...(mode === 'p' && { permits, weight: Number(weight) }),
      clientId,
      owner: decodeName(hash.get(`@${id}`) ?? ''),
      holds,
      ...(holds && { token: BigInt(number) }),
      since: Number(since),
      ...(value !== undefined && { value }),
    }
    found.push({ entry, order: Number(number) })
  }
  found.sort((a, b) => Number(b.entry.holds) - Number(a.entry.holds) || a.order - b.order)
  return found.map(({ entry }) => entry)
}
