import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/**
 * Below the ports that the system gives to outgoing connections: one of these could take the port of a server that is
 * down, and a client that looks for a server on such a port can even be connected to itself.
 */
const lowest = 10_000
const blockSize = 100
const blocks = 220

/** The ports of this process that nobody has been given yet. */
const left: number[] = []

/** Ports of 127.0.0.1 on which nothing listens. None is given twice, not even to different processes at a time. */
export async function freePorts(count: number): Promise<number[]> {
  const taken: number[] = []
  while (taken.length < count) {
    if (left.length === 0) left.push(...(await claimBlock()))
    const port = left.shift()
    if (port !== undefined && (await isFree(port))) taken.push(port)
  }
  return taken
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port as number
}

/** A block of ports is this process's for as long as it listens on the first of them. */
async function claimBlock(): Promise<number[]> {
  const start = randomInt(blocks)
  for (let tried = 0; tried < blocks; tried++) {
    const first = lowest + ((start + tried) % blocks) * blockSize
    const claim = await listen(first)
    if (!claim) continue
    claim.unref()
    return Array.from({ length: blockSize - 1 }, (_, at) => first + 1 + at)
  }
  throw new Error(`no block of ports is free between ${lowest} and ${lowest + blocks * blockSize}`)
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port)
  if (!server) return false
  server.close()
  await once(server, 'close')
  return true
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer()
  try {
    await once(server.listen({ port, host: '127.0.0.1' }), 'listening')
    return server
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw error
  }
}
