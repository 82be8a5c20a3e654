import type { Machine } from './machine.ts'

/** A promise of the product that was seen broken. */
export class Violation extends Error {
  readonly rule: string

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`)
    this.rule = rule
  }
}

/** True time, and everything that happens in it, one thing after the other. */
export class World {
  /** ms */
  now = 0
  readonly machines: Machine[] = []
  /** Looks at everything, after each thing that has happened. */
  check = (): void => {}
  /** The next true time at which to look although nothing happens. */
  moment = (): number => Number.POSITIVE_INFINITY
  /** What has happened, if anybody wants to read it. */
  readonly story: string[] | undefined
  #violation: Violation | undefined

  constructor(story?: string[]) {
    this.story = story
  }

  tell(line: () => string): void {
    this.story?.push(`${this.now.toFixed(1).padStart(9)}  ${line()}`)
  }

  /** The first one ends the run as soon as what runs now has ended. */
  violated(rule: string, message: string): void {
    this.#violation ??= new Violation(rule, message)
    this.tell(() => `VIOLATION ${rule}: ${message}`)
  }

  /** Lets time go by. */
  async pass(ms: number): Promise<void> {
    await this.until(this.now + ms, () => false)
  }

  /** Lets time go by until something is so, or until the end; says whether it is so. */
  async until(end: number, done: () => boolean): Promise<boolean> {
    for (;;) {
      this.#look()
      if (done()) return true
      const [machine, next] = this.#next()
      const moment = this.moment()
      if (moment > this.now && moment < Math.min(next, end)) {
        // A moment later, so that it is beyond doubt which side of it this is.
        this.now = Math.min(moment + 0.01, end)
        continue
      }
      if (!machine || next > end) break
      this.now = Math.max(this.now, next)
      await machine.run(settled)
    }
    this.now = Math.max(this.now, end)
    this.#look()
    return done()
  }

  /** Throws what has been found since the last look. */
  end(): void {
    this.#look()
  }

  #next(): [Machine | undefined, number] {
    let first: Machine | undefined
    let at = Number.POSITIVE_INFINITY
    for (const machine of this.machines) {
      const next = machine.next()
      if (next < at) [first, at] = [machine, next]
    }
    return [first, at]
  }

  #look(): void {
    if (!this.#violation) this.check()
    if (this.#violation) throw this.#violation
  }
}

/** Everything that promises have set off has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
