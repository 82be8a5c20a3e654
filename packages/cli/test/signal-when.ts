/** Preloaded into `locks`: sends it LOCKS_TEST_SIGNAL at the moment that LOCKS_TEST_WHEN names. */
import { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'

const moment = process.env.LOCKS_TEST_WHEN
const strike = () => process.kill(process.pid, process.env.LOCKS_TEST_SIGNAL)

if (moment === 'granted') subscribe('locks:granted', strike)

/** The latter once the process is there, and before anybody has been told of it. */
let started = 0
// oxlint-disable-next-line typescript/unbound-method
const { spawn } = ChildProcess.prototype as unknown as { spawn: (this: ChildProcess, options: object) => number }
Object.assign(ChildProcess.prototype, {
  spawn(this: ChildProcess, options: object) {
    const result = spawn.call(this, options)
    if (moment === `process ${++started} started` && this.pid !== undefined) strike()
    return result
  },
})
