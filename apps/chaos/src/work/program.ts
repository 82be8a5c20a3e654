/** The program of a client's process. */
import { subscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Order } from '../protocol.ts'
import { Client } from './client.ts'
import { open } from './open.ts'

const client = new Client({
  open: ({ way, terms }) => open(way, terms),
  report: (what) => void process.send?.(what),
  left,
})

// That a form of a store keeps nothing on disk is what the campaign is about, and no news.
subscribe('locks:warning', () => {})

process.on('message', (order) => client.hear(order as Order))
process.on('uncaughtException', (error) => client.broke(error))
process.on('unhandledRejection', (error) => client.broke(error))
// Without the campaign it has nothing left to do.
process.on('disconnect', () => process.exit())

/** What would keep the process alive, beside the line to the campaign. Sockets take a moment to close. */
async function left(): Promise<string[]> {
  const resources = () => process.getActiveResourcesInfo().filter((each) => !/^(PipeWrap|TTYWrap|Timeout)$/.test(each))
  for (let waited = 0; waited < 40 && resources().length > 0; waited++) await sleep(50)
  return resources()
}
