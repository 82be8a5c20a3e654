import { randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { admit, type Bearer } from '@locks/core'

/** A unit that was sold, and who sold it. */
export interface Sale {
  readonly unit: number
  readonly seller: string
}

/** What one file of the stock says. */
interface State {
  readonly left: number
  /**
   * The highest fencing tokens that the stock has seen, of anybody and of exclusive holders, in decimal: JSON has no
   * bigint.
   */
  readonly seen: { readonly newest: string; readonly exclusive: string }
  /** The sale that came with this write. */
  readonly sale?: Sale
}

export interface Audit {
  readonly sales: number
  /** Units by which the stock fell. */
  readonly taken: number
  /** Sales of a unit that was sold before. */
  readonly soldTwice: number
}

/** Whoever has no lock. */
const noHolder: Bearer = { token: 0n, mode: 'exclusive' }

/**
 * The shared resource: a number of units, and a ledger of who bought which. Like most resources it does not know what
 * its clients think between a read and a write: the last write wins. If it is `fenced`, it knows one thing more, the
 * highest fencing tokens that it has seen, and refuses whoever comes with a lower one: by `admit`, the rule of all
 * guards of @locks, for a resource that none of them is made for.
 *
 * **The check of the token and the write are one step.** The stock is a folder of numbered files; each is a whole
 * state, the highest number is the present one, and together they are the ledger. To write is to make the next number
 * with link(2), which fails if the number is taken: then somebody else has written since the token was checked, and it
 * is checked again. A number is never given twice because no file is ever removed. Nothing is locked, so that a process
 * that is stopped or killed at any point stands in nobody's way, and a file is complete from the moment it has its
 * number.
 */
export class Stock {
  readonly #folder: string
  readonly #fenced: boolean
  /** The highest number that was found. */
  #at = 1

  constructor(folder: string, options: { readonly fenced: boolean }) {
    this.#folder = folder
    this.#fenced = options.fenced
  }

  /** Makes the folder and its first file. */
  create(units: number): void {
    mkdirSync(this.#folder)
    this.#publish(1, { left: units, seen: { newest: '0', exclusive: '0' } })
  }

  /**
   * How many units are left. A fenced stock notes the token first, before anything else: what an earlier holder
   * still has on its way is refused from now on.
   */
  read(holder = noHolder): number {
    if (this.#fenced) return this.#append(holder, (left) => ({ left }))
    return this.#state(this.#newest()).left
  }

  /** Writes how many are left after a sale, whatever was there before. */
  write(left: number, sale: Sale, holder = noHolder): void {
    this.#append(holder, () => ({ left, sale }))
  }

  audit(): Audit {
    const newest = this.#newest()
    const units: number[] = []
    for (let at = 1; at <= newest; at++) {
      const { sale } = this.#state(at)
      if (sale) units.push(sale.unit)
    }
    return {
      sales: units.length,
      taken: this.#state(1).left - this.#state(newest).left,
      soldTwice: units.length - new Set(units).size,
    }
  }

  #append(holder: Bearer, change: (left: number) => { left: number; sale?: Sale }): number {
    for (;;) {
      const at = this.#newest()
      const { left, seen } = this.#state(at)
      const next = { ...change(left), seen: this.#fenced ? admitted(holder, seen) : seen }
      if (this.#publish(at + 1, next)) return next.left
    }
  }

  /** False if the number is taken. */
  #publish(at: number, state: State): boolean {
    const draft = join(this.#folder, `${randomUUID()}.draft`)
    writeFileSync(draft, JSON.stringify(state))
    try {
      linkSync(draft, this.#path(at))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    } finally {
      unlinkSync(draft)
    }
  }

  #newest(): number {
    while (existsSync(this.#path(this.#at + 1))) this.#at++
    return this.#at
  }

  #state(at: number): State {
    return JSON.parse(readFileSync(this.#path(at), 'utf8')) as State
  }

  #path(at: number): string {
    return join(this.#folder, `${at}.json`)
  }
}

/** What the stock has seen from now on; throws if a newer holder has been there. */
function admitted(holder: Bearer, { newest, exclusive }: State['seen']): State['seen'] {
  const seen = admit(holder, { newest: BigInt(newest), exclusive: BigInt(exclusive) })
  return { newest: String(seen.newest), exclusive: String(seen.exclusive) }
}
