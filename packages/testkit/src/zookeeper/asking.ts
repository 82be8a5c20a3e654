import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/** What a server answers to one of its four-letter words. Gives up on one that does not answer. */
export async function ask(port: number, word: string, { patience = 10_000 } = {}): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  const timer = setTimeout(() => socket.destroy(new Error(`no answer to ${word} from port ${port}`)), patience)
  try {
    socket.write(word)
    return await text(socket)
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}
