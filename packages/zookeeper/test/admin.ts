import driver from 'node-zookeeper-client'

type Callback<T> = (error: Error | null, result: T) => void

interface Client {
  connect(): void
  close(): void
  addAuthInfo(scheme: string, auth: Buffer): void
  on(event: 'connected', run: () => void): void
  getChildren(path: string, done: Callback<string[]>): void
  getData(path: string, done: Callback<unknown>): void
  remove(path: string, done: Callback<unknown>): void
  setACL(path: string, acls: readonly object[], version: number, done: Callback<unknown>): void
  create(path: string, how: number | readonly object[], done: Callback<unknown>): void
}

const ephemeral = 1
const { createClient, ACL, Id, Permission } = driver as {
  createClient: (hosts: string, options: object) => Client
  ACL: new (permission: number, id: object) => object
  Id: new (scheme: string, id: string) => object
  Permission: { readonly ALL: number; readonly READ: number; readonly CREATE: number; readonly DELETE: number }
}

/** Looks at a server and interferes with it by other means than the adapter's: with the driver's own client. */
export class Admin {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** None, where the node is missing. */
  children(path: string): Promise<string[]> {
    return this.#ask<string[]>((done) => this.#client.getChildren(path, done), [])
  }

  async data(path: string): Promise<string> {
    return String(await this.#ask<unknown>((done) => this.#client.getData(path, done), ''))
  }

  async createEphemeral(path: string): Promise<void> {
    await this.#ask<unknown>((done) => this.#client.create(path, ephemeral, done), '')
  }

  /** Nobody else may do anything with it; `who` as in `digest:user:digest`. */
  async createFor(path: string, who: string): Promise<void> {
    const [scheme = '', ...id] = who.split(':')
    const only = [new ACL(Permission.ALL, new Id(scheme, id.join(':')))]
    await this.#ask<unknown>((done) => this.#client.create(path, only, done), '')
  }

  async remove(path: string): Promise<void> {
    await this.#ask<unknown>((done) => this.#client.remove(path, done), undefined)
  }

  async removeAll(path: string): Promise<void> {
    for (const child of await this.children(path)) await this.removeAll(`${path}/${child}`)
    await this.remove(path)
  }

  /**
   * As the README says: the root of the locks, under which one user may create and delete, on a server whose own root
   * nobody may change.
   */
  async reserve(root: string, user: string): Promise<void> {
    const acls = [new ACL(Permission.CREATE | Permission.DELETE, new Id('digest', user))]
    await this.#ask<unknown>((done) => this.#client.create(root, acls, done), undefined)
    const readers = [new ACL(Permission.READ, new Id('world', 'anyone'))]
    await this.#ask<unknown>((done) => this.#client.setACL('/', readers, -1, done), undefined)
  }

  close(): void {
    this.#client.close()
  }

  #ask<T>(call: (done: Callback<T>) => void, missing: T): Promise<T> {
    return new Promise((resolve, reject) => {
      call((error, result) => {
        if ((error as { name?: string } | null)?.name === 'NO_NODE') resolve(missing)
        else if (error) reject(error)
        else resolve(result)
      })
    })
  }
}

/** `superPassword`: of the user who may do everything. */
export async function connectAdmin(ports: readonly number[], superPassword?: string): Promise<Admin> {
  const client = createClient(ports.map((port) => `127.0.0.1:${port}`).join(), { sessionTimeout: 60_000 })
  if (superPassword !== undefined) client.addAuthInfo('digest', Buffer.from(`super:${superPassword}`))
  await new Promise<void>((resolve) => {
    client.on('connected', resolve)
    client.connect()
  })
  return new Admin(client)
}
