import type { Ending } from '../child/ending.ts'
import { visible } from '../output/escape.ts'
import { tell, type Telling } from '../output/tell.ts'
import type { Held } from '../store/acquire.ts'

/** Programs are told; people see the command run. */
export function tellGranted(telling: Telling, { names, tokens, owner }: Held): void {
  if (telling.json) tell(telling, { event: 'granted', names, tokens, owner }, '')
}

export function tellLost(telling: Telling, { names }: Held, ending: Ending): void {
  const how = typeof ending === 'string' ? `by ${ending}` : `with ${ending}`
  const text = `the lock was lost: ${names.map(visible).join(', ')}; the command has ended ${how}`
  tell(telling, { event: 'lost', names, ending }, text)
}
