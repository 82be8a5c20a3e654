/** Preloaded into `locks`: Node warns of something, and an adapter does. */
import { channel, subscribe } from 'node:diagnostics_channel'

subscribe('locks:session', () => {
  process.emitWarning('it may change at any time', 'ExperimentalWarning')
  channel('locks:warning').publish({ code: 'ADAPTER_SAYS', message: 'look at this' })
})
