import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Crew } from './crew.ts'
import type { Progress } from './progress.ts'
import type { Locking, Report, Task } from './protocol.ts'
import type { Seller } from './seller.ts'
import { Stock } from './stock.ts'
import { ms, number } from './text.ts'

/** What all acts have in common. */
export interface Setting {
  readonly locking: Locking
  /** Milliseconds within which the backend promises a dead holder's lock to the next one. */
  readonly limit: number
  readonly crew: Crew
  readonly progress: Progress
}

interface Work {
  readonly locked: boolean
  readonly sales: number
  readonly think: number
  readonly standsStillUntil?: string
  readonly guards?: number
}

/** The place of one act: a stock of its own, the workers who sell from it, and the user who looks on. */
export class Stage {
  static readonly units = 1_000
  readonly stock: Stock
  readonly sellers: Seller[] = []
  /** Sales that workers have told of. */
  sales = 0
  readonly #folder: string
  readonly #fenced: boolean
  readonly #setting: Setting
  readonly #sold = new Set<number>()

  constructor(folder: string, fenced: boolean, setting: Setting) {
    this.#folder = folder
    this.#fenced = fenced
    this.#setting = setting
    mkdirSync(folder)
    this.stock = new Stock(this.#stockFolder, { fenced })
    this.stock.create(Stage.units)
  }

  get ttl(): number {
    return this.#setting.locking.ttl
  }

  get limit(): number {
    return this.#setting.limit
  }

  /** Starts workers; settles when all of them are ready to go. */
  async hire(count: number, { locked, ...work }: Work): Promise<readonly [Seller, ...Seller[]]> {
    const { crew, locking } = this.#setting
    const hired = Array.from({ length: count }, (_, at) => {
      const task: Task = {
        ...work,
        seller: `seller ${this.sellers.length + at + 1}`,
        stock: this.#stockFolder,
        fenced: this.#fenced,
        locking: locked ? locking : undefined,
      }
      return crew.hire(task, (report) => this.#hear(report))
    })
    this.sellers.push(...hired)
    this.#setting.progress.show(`   ${count === 1 ? 'a process starts' : `${count} processes start`}`)
    await Promise.all(hired.map((seller) => seller.first('ready')))
    return hired as [Seller, ...Seller[]]
  }

  say(line: string): void {
    this.#setting.progress.say(`   ${line}`)
  }

  /** Shows how the time goes by while something is awaited. */
  async watch<T>(what: string, awaited: Promise<T>): Promise<T> {
    const since = performance.now()
    const show = () => this.#setting.progress.show(`   ${what}: ${ms(performance.now() - since)}`)
    const timer = setInterval(show, 50)
    try {
      return await awaited
    } finally {
      clearInterval(timer)
    }
  }

  /** A file that is not there until {@link Stage.make} makes it. */
  file(name: string): string {
    return join(this.#folder, name)
  }

  make(file: string): void {
    writeFileSync(file, '')
  }

  get #stockFolder(): string {
    return this.file('stock')
  }

  #hear(report: Report): void {
    if (report.is !== 'sold') return
    this.sales++
    this.#sold.add(report.unit)
    const twice = this.sales - this.#sold.size
    this.#setting.progress.show(`   ${number(this.sales)} sales, ${number(twice)} of them of a unit already sold`)
  }
}
