import { unsupported } from './errors.ts'

/** Says so where Node.js is too old, before anything fails by what it lacks. */
export function checkNode(): void {
  if (typeof Promise.withResolvers === 'function') return
  throw unsupported(`@locks needs Node.js 22.13 or newer; this is ${process.version}`)
}
