import type { Report, Task } from './protocol.ts'
import { Seller } from './seller.ts'

/** All worker processes that there are. */
export class Crew {
  #sellers: Seller[] = []

  hire(task: Task, hear: (report: Report) => void): Seller {
    const seller = new Seller(task, hear)
    this.#sellers.push(seller)
    return seller
  }

  /** Lets everybody end who has done his work. */
  async dismiss(): Promise<void> {
    await Promise.all(this.#sellers.map((seller) => seller.dismiss()))
    this.#sellers = []
  }

  /** Ends everybody now, also who is stopped. */
  kill(): void {
    for (const seller of this.#sellers) seller.signal('SIGKILL')
  }
}
