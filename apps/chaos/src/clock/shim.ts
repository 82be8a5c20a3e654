import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** A wall clock that can be set, for all processes that are started with its environment. */
export interface Clock {
  readonly env: NodeJS.ProcessEnv
  /** Off the true time by so many ms from now on. */
  set(ms: number): Promise<void>
  /** One more, for whoever is to have a time of its own. */
  beside(name: string): Clock
}

/** Two of them: the clients' and the servers'. */
export interface Clocks {
  readonly clients: Clock
  readonly servers: Clock
  end(): void
}

export async function makeClocks(): Promise<Clocks> {
  const folder = mkdtempSync(join(tmpdir(), 'locks-chaos-clock-'))
  // Also for servers that run as somebody else.
  chmodSync(folder, 0o755)
  const library = join(folder, 'jump.so')
  const source = fileURLToPath(new URL('./jump.c', import.meta.url))
  await promisify(execFile)('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', library, source, '-ldl'])
  const clock = (name: string): Clock => {
    const file = join(folder, name)
    writeFileSync(file, Buffer.alloc(8))
    return {
      env: { LD_PRELOAD: library, CHAOS_CLOCK: file },
      async set(ms) {
        const offset = Buffer.alloc(8)
        offset.writeBigInt64LE(BigInt(Math.round(ms)) * 1_000_000n)
        const handle = await open(file, 'r+')
        await handle.write(offset, 0, 8, 0)
        await handle.close()
      },
      beside: (other) => clock(`${name} ${other}`),
    }
  }
  return {
    clients: clock('clients'),
    servers: clock('servers'),
    end: () => rmSync(folder, { recursive: true, force: true }),
  }
}
