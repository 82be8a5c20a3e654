import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Failure, misuse } from '../failure.ts'
import { exitCodes } from '../exit-codes.ts'

/** Refuses a command that is not there before anybody waits for a lock to run it. */
export function checkCommand(command: readonly string[], env: NodeJS.ProcessEnv): void {
  const [file] = command
  if (!file) throw misuse('the command to run is missing: write it after --, as in: locks run NAME -- make deploy')
  if (file.startsWith('-')) throw misuse(`a command that begins with - is refused; got "${file}"`)
  if (process.platform === 'win32') return
  const folders = file.includes('/') ? [''] : (env.PATH ?? '').split(delimiter).map((each) => each || '.')
  const found = folders.map((folder) => (folder === '' ? file : join(folder, file))).filter(isFile)
  if (found.length === 0) throw new Failure('NOT_FOUND', exitCodes.notFound, `command not found: ${file}`)
  if (!found.some(isExecutable)) {
    throw new Failure('NOT_EXECUTABLE', exitCodes.notExecutable, `this file is not executable: ${file}`)
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
