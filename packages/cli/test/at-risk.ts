/** Preloaded into `locks`: notes in LOCKS_TEST_DEADLINE, by the wall clock, the deadline of a lock that is at risk. */
import { subscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import type { LockEvents } from '@locks/core'

subscribe('locks:at-risk', (message) => {
  const { expiresAt } = message as LockEvents['locks:at-risk']
  writeFileSync(process.env.LOCKS_TEST_DEADLINE ?? '', String(Date.now() + expiresAt - performance.now()))
})
