import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Stage } from './stage.ts'

const program = fileURLToPath(new URL('./registry-process.ts', import.meta.url))

/** A registry of our packages alone, empty, on a free port of 127.0.0.1. It does not outlive this process. */
export async function startRegistry(stage: Stage): Promise<string> {
  const child = fork(program, { cwd: await stage.room('registry'), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  stage.own(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the registry ended with ${code}`)
  })
  ended.catch(() => {}) // told to whoever waits for the port; later, commands fail
  const [port] = (await Promise.race([once(child, 'message'), ended])) as [number]
  return `http://127.0.0.1:${port}`
}

/** An `.npmrc` by which our packages come from there and go there, and all others as ever. */
export function npmrc(registry: string): string {
  const { host } = new URL(registry)
  return `@locks:registry=${registry}/\n//${host}/:_authToken=anybody\n`
}
