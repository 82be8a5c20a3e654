import { keyOf } from '@locks/core/backend'

/** Where a namespace's state and a client's messages are. Names and namespaces are encoded: they hold no brace. */
export class Keys {
  /** What channels begin with: a client's identity follows, or what a name's key ends with. */
  readonly channels: string
  readonly #start: string
  readonly #namespace: string

  constructor(prefix: string, namespace: string) {
    this.channels = `${prefix}:client:`
    this.#namespace = `{${keyOf(namespace)}/`
    this.#start = `${prefix}:${this.#namespace}`
  }

  /** A name's key; the braces keep all that is ever kept of it in one slot. */
  key(name: string): string {
    return `${this.#start}${keyOf(name)}}`
  }

  /** Where those who watch a name are told; the scripts make the same of its key. A client's identity has no brace. */
  channel(name: string): string {
    return `${this.channels}${this.#namespace}${keyOf(name)}}`
  }

  /** What has to be kept beside a key to tell its name: nothing, or the name where the key has only its hash. */
  rawName(name: string): string {
    return keyOf(name) === name ? '' : name
  }

  /** The encoded name again; undefined where the key has only its hash. */
  name(key: string): string | undefined {
    const name = key.slice(this.#start.length, -1)
    return name.startsWith('_h') ? undefined : name
  }

  /** For SCAN. Nothing in it is special there but the star. */
  get pattern(): string {
    return `${this.#start}*}`
  }

  /** A key of the namespace that is no name's, to try permissions on. */
  get probe(): string {
    return `${this.#start}~}`
  }
}
