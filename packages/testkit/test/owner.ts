/** A process that starts what it is told to, says what it has started, and does nothing more. */
import process from 'node:process'
import { startProxy, startRedis } from '../src/index.ts'

const start = {
  async redis() {
    const { pid, folder } = await startRedis()
    return { pid, folder }
  },
  async proxy() {
    const proxy = await startProxy()
    await proxy.line({ upstreams: [{ host: '127.0.0.1', port: 1 }], framing: 'resp' })
    return { pid: proxy.pid }
  },
}

const [what] = process.argv.slice(2)
console.log(JSON.stringify(await start[what as keyof typeof start]()))
setInterval(() => {}, 60_000)
