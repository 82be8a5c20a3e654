/** The proxy's process. It ends with the one that started it. */
import process from 'node:process'
import { setImmediate as turn } from 'node:timers/promises'
import { serve } from '../program.ts'
import { Line } from './line.ts'
import type { ProxyVerbs } from './verbs.ts'

const lines: Line[] = []

serve<ProxyVerbs>(
  {
    async open(options) {
      const line = new Line(options)
      const ports = await line.listen()
      return { id: lines.push(line) - 1, ports }
    },
    async ask(id, verb, args) {
      await catchUp()
      const line = lines[id]
      if (!line) throw new RangeError(`there is no line ${id}`)
      const asked: (...args: never) => unknown = line[verb]
      return asked.apply(line, args as never)
    },
  },
  () => process.exit(),
)

/** Reads whatever lies ready: one turn accepts a connection, the next one reads from it and passes on, one to spare. */
async function catchUp(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await turn()
}
