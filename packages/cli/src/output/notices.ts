import { subscribe } from 'node:diagnostics_channel'
import type { Warning } from '@locks/core'
import { withoutSecrets } from '../store/secrets.ts'
import { tell, type Telling } from './tell.ts'

/** Node's own warnings (of an experimental module, for instance) are no concern of whoever runs a command. */
export function quietNode(): void {
  process.removeAllListeners('warning')
}

/** The warnings of the adapters, which are. */
export function onWarning(hear: (warning: Warning) => void): void {
  subscribe('locks:warning', (told) => {
    const { code, message } = told as Warning
    hear({ code, message: withoutSecrets(message) })
  })
}

export function tellWarnings(telling: Telling): void {
  onWarning(({ code, message }) => tell(telling, { event: 'warning', code, message }, `warning: ${message} (${code})`))
}
