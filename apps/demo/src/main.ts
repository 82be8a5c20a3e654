/** What `npm run demo` starts: arguments in, exit code out, and nothing left behind. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LockError } from '@locks/core'
import { Crew } from './crew.ts'
import { explain } from './explain.ts'
import { Progress } from './progress.ts'
import { show, sqliteIn } from './show.ts'
import { parse, usage, UsageError } from './usage.ts'

const folder = mkdtempSync(join(tmpdir(), 'locks-demo-'))
const crew = new Crew()
const progress = new Progress()

function cleanUp(): void {
  progress.clear()
  crew.kill()
  // A process that is just being killed may still make a file.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

process.on('exit', cleanUp)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    cleanUp()
    process.kill(process.pid, signal)
  })
}
/** Only then is anything loaded that starts servers. */
async function everywhere(): Promise<boolean> {
  const { preflight } = await import('@locks/testkit')
  const missing = preflight(undefined)
  if (missing) throw new Error(missing)
  const { showAll } = await import('./all.ts')
  return showAll({ folder, crew, progress })
}

// Whoever read the output has left.
process.stdout.on('error', () => process.exit(1))

try {
  const { help, all, url = sqliteIn(folder) } = parse(process.argv.slice(2))
  if (help) progress.say(usage)
  else if (all) process.exitCode = (await everywhere()) ? 0 : 1
  else process.exitCode = (await show({ folder, url, crew, progress })) ? 0 : 1
} catch (error) {
  // A Ctrl-C ends workers too. If that is what went wrong, the signal is about to end this process as well.
  await delay(50)
  progress.clear()
  console.error(`locks demo: ${explain(error)}`)
  if (error instanceof UsageError) console.error(`\n${usage}`)
  const wrongCall =
    error instanceof UsageError || LockError.is(error, 'INVALID_ARGUMENT') || LockError.is(error, 'UNSUPPORTED')
  process.exit(wrongCall ? 2 : 1)
}
