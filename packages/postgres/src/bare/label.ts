import { decodeName, encodeName } from '@locks/core/backend'

/** As much as Postgres keeps of an application's name. */
const longest = 63

/** Who holds a connection, in the name of its application: there is no table to say so. */
export function labelOf(clientId: string, owner: string): string {
  const label = `@locks ${clientId} ${encodeName(owner)}`
  // Not a part of a character.
  return label.slice(0, longest).replace(label.length > longest ? /(?:_[0-9a-f]?|-[0-9a-f]{0,3})$/ : /$^/, '')
}

export function readLabel(label: string): { readonly clientId: string; readonly owner: string } {
  const [, clientId = '', owner = '_'] = label.split(' ')
  return { clientId, owner: decodeName(owner) }
}
