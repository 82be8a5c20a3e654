import { number, units } from '../text.ts'
import type { Act } from './act.ts'
import { crowd } from './crowd.ts'

export const withLock: Act = {
  title: 'A lock',
  name: 'lock',
  fenced: false,
  harm: false,
  async play(stage) {
    stage.say("The same, with each sale inside locks.request('stock', ...).")
    await crowd(stage, true)
    const { sales, taken, soldTwice } = stage.stock.audit()
    stage.say(`${number(sales)} sales, the stock fell by ${units(taken)}, ${number(soldTwice)} sold twice.`)
    return {}
  },
}
