import { number, units } from '../text.ts'
import type { Act } from './act.ts'
import { takeover } from './takeover.ts'

const aDay = 86_400_000

export const killedHolder: Act = {
  title: 'A lock whose holder is killed',
  name: 'kill -9',
  fenced: false,
  harm: false,
  async play(stage) {
    const [victim] = await stage.hire(1, { locked: true, sales: 1, think: aDay })
    const rivals = await stage.hire(4, { locked: true, sales: 5, think: 10 })

    victim.go()
    const { token } = await victim.first('inside')
    stage.say(`${victim.name} has the lock, token ${token}, and has read the stock.`)
    for (const rival of rivals) rival.go()
    await Promise.all(rivals.map((rival) => rival.first('waiting')))
    stage.say(`kill -9: its sale dies with it, while ${rivals.length} others wait for the lock.`)
    victim.signal('SIGKILL')

    const course = await takeover(stage, rivals)
    await Promise.all(rivals.map((rival) => rival.first('done')))
    const { sales, taken, soldTwice } = stage.stock.audit()
    stage.say(`${number(sales)} sales, the stock fell by ${units(taken)}, ${number(soldTwice)} sold twice.`)
    return course
  },
}
