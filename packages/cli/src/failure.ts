import { LockError, type ErrorCode } from '@locks/core'
import { CommanderError } from 'commander'
import { exitCodes } from './exit-codes.ts'

/** Why a command of `locks` ended without doing its work. */
export class Failure extends Error {
  readonly code: string
  readonly exitCode: number

  constructor(code: string, exitCode: number, message: string) {
    super(message)
    this.code = code
    this.exitCode = exitCode
  }
}

/** The call is wrong; the message says what is allowed. */
export const misuse = (message: string): Failure => new Failure('USAGE', exitCodes.usage, message)

const codes: Record<ErrorCode, number> = {
  TIMEOUT: exitCodes.conflict,
  LOST: exitCodes.lost,
  RELEASED: exitCodes.failed,
  UNAVAILABLE: exitCodes.unavailable,
  OUTCOME_UNKNOWN: exitCodes.unavailable,
  UNSUPPORTED: exitCodes.usage,
  INVALID_ARGUMENT: exitCodes.usage,
  CLOSED: exitCodes.failed,
}

export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  const found = LockError.find(error)
  if (found) return new Failure(found.code, codes[found.code] ?? exitCodes.failed, found.message)
  if (error instanceof CommanderError) return misuse(error.message.replace(/^error: /, ''))
  const message = error instanceof Error ? error.message : String(error)
  return new Failure('INTERNAL', exitCodes.failed, `this is a fault of locks itself: ${message}`)
}
