import { number, units } from '../text.ts'
import type { Act } from './act.ts'
import { crowd, story } from './crowd.ts'

export const noLock: Act = {
  title: 'No lock',
  name: 'no lock',
  fenced: false,
  harm: true,
  async play(stage) {
    stage.say(story)
    await crowd(stage, false)
    const { sales, taken, soldTwice } = stage.stock.audit()
    stage.say(`${number(sales)} sales, but the stock fell by ${units(taken)} only.`)
    stage.say(`${number(soldTwice)} of the sales were of a unit that had been sold already.`)
    return {}
  },
}
