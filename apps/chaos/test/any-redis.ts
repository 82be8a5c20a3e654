/** Any one of several servers: what a quorum would be without a majority. */
import type { Adapter, Backend } from '@locks/core/backend'
import { redis } from '@locks/redis'

export const adapter: Adapter = {
  schemes: ['any'],
  fromUrl(url) {
    const ports = url.slice('any:'.length).split(',')
    const nodes = ports.map((port) => redis({ url: `redis://127.0.0.1:${port}` }))
    const [first] = nodes as [Backend, ...Backend[]]
    const open: Backend['open'] = (options) => {
      return (nodes[Math.floor(options.random.unit() * nodes.length)] ?? first).open(options)
    }
    return { ...first, open }
  },
}
