import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { preflightBrowser } from '@locks/testkit'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** Whether there is one, or could be installed; what to tell the user if not. */
export function prepareBrowser(): string | undefined {
  if (locateBrowser() !== undefined) return undefined
  const missing = preflightBrowser()
  return (
    missing && `docs:check looks at the pages in a real browser. ${missing}. Or say in LOCKS_CHROMIUM where one is.`
  )
}

export function findBrowser(): string {
  const found = locateBrowser()
  if (found === undefined) throw new Error('there is no browser')
  return found
}

/** One of this machine, whoever has put it there. */
function locateBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = [
    process.env['LOCKS_CHROMIUM'] ?? '',
    ...folders.flatMap((at) => names.map((name) => join(at, name))),
  ]
  return candidates.find((file) => file !== '' && existsSync(file))
}
