import { expect, test } from 'vitest'
import { Ledger } from '../src/ledger.ts'
import { Outbox } from '../src/outbox.ts'

/** An outbox whose statements are answered when the test says so. */
function outbox() {
  const sent: { readonly names: string[]; readonly answer: () => void }[] = []
  const made = new Outbox(new Ledger(), {
    joins: () => true,
    send(ops) {
      const { promise, resolve } = Promise.withResolvers<void>()
      sent.push({ names: ops.flatMap((op) => ('stored' in op ? op.stored : [])), answer: resolve })
      return promise
    },
  })
  return { made, sent, look: (stored: string) => made.look({ key: 1n, stored }) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('whoever waits for what is wanted now does not wait for what is wanted later', async () => {
  const { made, sent, look } = outbox()
  look('first')
  await turn()
  look('second')
  let idle = false
  const waiting = made.idle().then(() => (idle = true))
  sent[0]?.answer()
  await turn()
  expect([idle, sent.map(({ names }) => names)]).toEqual([false, [['first'], ['second']]])
  look('third')
  sent[1]?.answer()
  await turn()
  expect([idle, sent.length]).toEqual([true, 3])
  await waiting
})

test('nobody waits where nothing is wanted, nor after the end', async () => {
  const { made, look } = outbox()
  await made.idle()
  look('first')
  await turn()
  look('second')
  const waiting = made.idle()
  made.close(new Error('over'))
  await waiting
})
