import { createHash } from 'node:crypto'
import { invalid, shown, unsupported } from './errors.ts'

/** The longest name, in UTF-16 code units: what every store can keep beside an entry with room to spare. */
const maxNameLength = 65_536

const plain = /^[A-Za-z0-9]+$/
const maxKeyLength = 120

/** Refuses what cannot be a lock's name. */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw invalid(`a lock's name must be a string, not ${shown(name)}`)
  if (name.startsWith('-')) {
    throw unsupported(`names that start with "-" are reserved by the Web Locks standard: ${shown(name)}`)
  }
  if (name.length > maxNameLength) {
    throw invalid(`a lock's name may have up to ${maxNameLength} UTF-16 code units, this one has ${name.length}`)
  }
}

/**
 * Any string, lone surrogates included, as `[A-Za-z0-9_-]+`: a letter or digit stands for itself, another
 * UTF-16 code unit is `_` and 2 hexadecimal digits, or `-` and 4, and the empty string is `_`. Injective, so
 * two names never share an encoding, and no store finds a path, a pattern or a hash tag in it.
 */
export function encodeName(name: string): string {
  if (plain.test(name)) return name
  if (name === '') return '_'
  let out = ''
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    if (isPlain(unit)) out += name[i]
    else if (unit < 0x100) out += `_${unit.toString(16).padStart(2, '0')}`
    else out += `-${unit.toString(16).padStart(4, '0')}`
  }
  return out
}

/** The name again, from what `encodeName` made of it. */
export function decodeName(encoded: string): string {
  if (encoded === '_') return ''
  return encoded.replace(/_([0-9a-f]{2})|-([0-9a-f]{4})/g, (_, short: string | undefined, long: string | undefined) =>
    String.fromCharCode(Number.parseInt(short ?? long ?? '', 16)),
  )
}

/**
 * A key of at most 120 characters for an encoded name: itself, or its SHA-256 when it is longer. `_h` starts no
 * encoded name, so the two kinds never meet. A store keeps the encoded name beside a hashed key, for `query`.
 */
export function keyOf(encoded: string): string {
  if (encoded.length <= maxKeyLength) return encoded
  return `_h${createHash('sha256').update(encoded).digest('base64url')}`
}

function isPlain(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a)
}
