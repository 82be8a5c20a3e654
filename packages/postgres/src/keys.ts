import { hash } from 'node:crypto'

/** From a text to 64 bits. */
export type Hash = (text: string) => bigint

/**
 * A cryptographic one, or whoever chooses names could choose two that share a key. Among a million names the chance that
 * any two do is 3 in 100 million.
 */
export const sha256: Hash = (text) => hash('sha256', text, 'buffer').readBigInt64BE(0)

/** Where a name's advisory lock and rows are. Names and namespaces are encoded: they hold no slash. */
export class Keys {
  readonly #schema: string
  readonly #namespace: string
  readonly #hash: Hash

  constructor(schema: string, namespace: string, hash: Hash) {
    this.#schema = schema
    this.#namespace = namespace
    this.#hash = hash
  }

  /** As the rows have it: names of two namespaces may share a key. */
  stored(name: string): string {
    return `${this.#namespace}/${name}`
  }

  given(stored: string): string {
    return stored.slice(this.#namespace.length + 1)
  }

  /** Advisory locks belong to a whole database, whoever uses it: so the schema is in the key, too. */
  key(name: string): bigint {
    return this.#hash(`${this.#schema}/${this.stored(name)}`)
  }
}
