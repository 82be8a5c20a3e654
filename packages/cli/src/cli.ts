import { endAs, type Ending } from './child/ending.ts'
import { exitCodes } from './exit-codes.ts'
import { failureOf } from './failure.ts'
import { quietNode } from './output/notices.ts'
import { tell } from './output/tell.ts'
import { parse } from './program.ts'

/** Arguments in, one ending of the process out. */
export async function main(argv: readonly string[]): Promise<void> {
  quietNode()
  // Whoever read the output has left.
  process.stdout.on('error', () => process.exit(exitCodes.failed))
  await endAs(await endingOf(argv))
}

async function endingOf(argv: readonly string[]): Promise<Ending> {
  try {
    return await parse(argv)
  } catch (error) {
    const { code, message, exitCode } = failureOf(error)
    tell({ json: wantsJson(argv) }, { event: 'failed', code, message, exitCode }, message)
    return exitCode
  }
}

/** Also of arguments that could not be understood. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end < 0 ? undefined : end).includes('--json')
}
