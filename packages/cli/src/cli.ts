import { endAs, type Ending } from './child/ending.ts'
import { exitCodes } from './exit-codes.ts'
import { failureOf } from './failure.ts'
import { quietNode } from './output/notices.ts'
import { tell } from './output/tell.ts'
import { parse } from './program.ts'
import { withoutSecrets } from './store/secrets.ts'

/** Arguments in, one ending of the process out. */
export async function main(argv: readonly string[]): Promise<void> {
  quietNode()
  // Whoever read the output has left.
  process.stdout.on('error', () => process.exit(exitCodes.failed))
  // Nobody listens to what is said of the lock: no reason to end a command that runs under it.
  process.stderr.on('error', () => {})
  await endAs(await endingOf(argv))
}

async function endingOf(argv: readonly string[]): Promise<Ending> {
  try {
    return await parse(argv)
  } catch (error) {
    const failure = failureOf(error)
    const { code, exitCode } = failure
    const message = withoutSecrets(failure.message)
    tell({ json: wantsJson(argv) }, { event: 'failed', code, message, exitCode }, message)
    return exitCode
  }
}

/** Also of arguments that could not be understood. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end < 0 ? undefined : end).includes('--json')
}
