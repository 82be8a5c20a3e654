import type { Stage } from '../stage.ts'
import { number, units } from '../text.ts'
import type { Act, Course } from './act.ts'
import { takeover } from './takeover.ts'

export const stoppedHolder: Act = {
  title: 'A lock whose holder is stopped past its ttl, and then writes',
  name: 'stopped, fenced',
  fenced: true,
  harm: false,
  play,
}

/** The same story, told to show what the token is good for. */
export const stoppedHolderUnfenced: Act = {
  title: 'The same, with a stock that does not look at tokens',
  name: 'same, unfenced',
  fenced: false,
  harm: true,
  play,
}

async function play(stage: Stage): Promise<Course> {
  const morning = stage.file('morning')
  const [sleeper] = await stage.hire(1, { locked: true, sales: 1, think: 0, standsStillUntil: morning })
  const rivals = await stage.hire(3, { locked: true, sales: 5, think: 10, guards: sleeper.pid })

  sleeper.go()
  const { token, left } = await sleeper.first('inside')
  sleeper.signal('SIGSTOP')
  stage.say(`${sleeper.name} has the lock, token ${token}, and read that ${number(left)} are left.`)
  stage.say('SIGSTOP: it stands still, and cannot know for how long.')

  for (const rival of rivals) rival.go()
  const course = await takeover(stage, rivals)
  await Promise.all(rivals.map((rival) => rival.first('done')))
  const sold = stage.sales
  const { taken } = stage.stock.audit()
  stage.say(`${units(sold)} were sold meanwhile; ${number(left - taken)} are left.`)

  stage.make(morning)
  sleeper.signal('SIGCONT')
  const { held } = await sleeper.first('awake')
  stage.say(`SIGCONT: the first line that ${sleeper.name} runs reads lock.held: ${held}.`)
  stage.say(`It is careless, and writes ${number(left - 1)} all the same.`)
  await sleeper.first('done')

  if (stage.sales > sold) {
    stage.say(`Accepted: unit ${number(left)} is sold twice, and ${units(sold - 1)} more will be.`)
  } else {
    const { why } = await sleeper.first('refused')
    const [what, ...because] = why.split(': ')
    stage.say(`Refused: ${what}:`)
    stage.say(`   ${because.join(': ')}.`)
  }
  return held ? { ...course, faults: [...(course.faults ?? []), 'lock.held was true after the ttl'] } : course
}
