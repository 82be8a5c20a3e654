import { etcd } from '@locks/etcd'
import { startEtcd, startEtcdCluster, type EtcdServer } from '@locks/testkit'
import { Etcd3 } from 'etcd3'
import type { Form } from './harness.ts'
import { leastPrivilege } from './user.ts'

const user = { name: 'locks', password: 'of-the-user' }

/** One server, with users, of whom the adapter is one who may do no more than it needs. */
export async function single(): Promise<Form> {
  const server = await startEtcd({ users: [{ ...user, permissions: leastPrivilege }] })
  return formOf('etcd', [server], `${user.name}:${user.password}@`, {
    auth: { username: 'root', password: 'of-the-root' },
    end: () => server.end(),
  })
}

/** Three members, without users. */
export async function three(): Promise<Form> {
  const cluster = await startEtcdCluster()
  return formOf('etcd-3', cluster.members, '', { end: () => cluster.end() })
}

interface Rest {
  readonly auth?: { readonly username: string; readonly password: string }
  readonly end: () => Promise<void>
}

function formOf(backend: Form['backend'], members: readonly EtcdServer[], userinfo: string, { auth, end }: Rest): Form {
  const urlOf = (ports: readonly number[]) => `etcd://${userinfo}${ports.map((port) => `127.0.0.1:${port}`).join()}`
  const ports = members.map(({ port }) => port)
  const admin = new Etcd3({ hosts: ports.map((port) => `http://127.0.0.1:${port}`), ...(auth && { auth }) })
  return {
    backend,
    url: urlOf(ports),
    open: () => etcd({ url: urlOf(ports) }),
    ports,
    openThrough: (others) => etcd({ url: urlOf(others) }),
    admin,
    async end() {
      admin.close()
      await end()
    },
  }
}
