import type { EtcdServer } from './server.ts'

export interface EtcdUser {
  readonly name: string
  readonly password: string
  /** What its role may do with the keys that begin with a prefix. */
  readonly permissions: readonly { readonly access: 'read' | 'write' | 'readwrite'; readonly prefix: string }[]
}

/** Of `root`, who may do everything. */
export const rootPassword = 'of-the-root'

/** Makes the users, each with a role of its own name, and has everybody say who they are from now on. */
export async function enableAuth(members: readonly EtcdServer[], users: readonly EtcdUser[]): Promise<void> {
  const [server] = members
  if (!server) return
  await server.ctl('user', 'add', `root:${rootPassword}`)
  await server.ctl('user', 'grant-role', 'root', 'root')
  for (const { name, password, permissions } of users) {
    await server.ctl('role', 'add', name)
    for (const { access, prefix } of permissions) {
      await server.ctl('role', 'grant-permission', name, access, prefix, '--prefix')
    }
    await server.ctl('user', 'add', `${name}:${password}`)
    await server.ctl('user', 'grant-role', name, name)
  }
  await server.ctl('auth', 'enable')
  for (const member of members) member.becomeRoot()
}
