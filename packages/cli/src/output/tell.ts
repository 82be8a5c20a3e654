import { json, printable } from './escape.ts'

export interface Telling {
  readonly json?: boolean | undefined
}

/** What concerns `locks` itself goes to stderr, since stdout is the command's: a line of text, or of JSON. */
export function tell({ json: asJson }: Telling, event: Record<string, unknown>, text: string): void {
  const line = asJson ? json(event) : `locks: ${text.split('\n').map(printable).join('\n')}`
  process.stderr.write(`${line}\n`)
}

/** What was asked for goes to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
