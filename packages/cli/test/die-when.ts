/** Preloaded into `locks`: kills it, as by `kill -9`, at the moment that LOCKS_TEST_DIE_WHEN names. */
import { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'

const moment = process.env.LOCKS_TEST_DIE_WHEN
const die = () => process.kill(process.pid, 'SIGKILL')

if (moment === 'granted') subscribe('locks:granted', die)

/** The latter once the process is there, and before anybody has been told of it. */
let started = 0
// oxlint-disable-next-line typescript/unbound-method
const { spawn } = ChildProcess.prototype as unknown as { spawn: (this: ChildProcess, options: object) => number }
Object.assign(ChildProcess.prototype, {
  spawn(this: ChildProcess, options: object) {
    const result = spawn.call(this, options)
    if (moment === `process ${++started} started` && this.pid !== undefined) die()
    return result
  },
})
