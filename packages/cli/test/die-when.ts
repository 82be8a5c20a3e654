/** Preloaded into `locks`: kills it, as by `kill -9`, at the moment that LOCKS_TEST_DIE_WHEN names. */
import { subscribe } from 'node:diagnostics_channel'

const [channel = '', times = '1'] = (process.env.LOCKS_TEST_DIE_WHEN ?? '').split('*')
let left = Number(times)

subscribe(channel, () => {
  if (--left === 0) process.kill(process.pid, 'SIGKILL')
})
