/** `node-zookeeper-client` with promises, as much of it as the recipe and the floor take. */
type Callback<T> = (error: Error | null, result: T) => void
type Watcher = (event: { readonly name: string }) => void

interface Driver {
  connect(): void
  close(): void
  once(event: 'connected', run: () => void): void
  create(path: string, data: Buffer, mode: number, done: Callback<string>): void
  getChildren(path: string, done: Callback<string[]>): void
  exists(path: string, watcher: Watcher, done: Callback<object | null>): void
  remove(path: string, done: Callback<void>): void
}

export const modes = { persistent: 0, ephemeral: 1, ephemeralSequential: 3 } as const

const nothing = Buffer.alloc(0)

export class Zookeeper {
  readonly #driver: Driver

  constructor(driver: Driver) {
    this.#driver = driver
  }

  static async connect(url: string, sessionTimeout: number): Promise<Zookeeper> {
    const { default: module } = await import('node-zookeeper-client')
    const { createClient } = module as { createClient: (hosts: string, options: object) => Driver }
    const driver = createClient(new URL(url).host, { sessionTimeout })
    await new Promise<void>((resolve) => {
      driver.once('connected', resolve)
      driver.connect()
    })
    return new Zookeeper(driver)
  }

  /** The path, which the server completes where it counts. */
  create(path: string, mode: number): Promise<string> {
    return asked((done) => this.#driver.create(path, nothing, mode, done))
  }

  /** As {@link create}; false where it was there. */
  async createNew(path: string, mode: number): Promise<boolean> {
    try {
      await this.create(path, mode)
      return true
    } catch (error) {
      if ((error as { name?: string }).name === 'NODE_EXISTS') return false
      throw error
    }
  }

  children(path: string): Promise<string[]> {
    return asked((done) => this.#driver.getChildren(path, done))
  }

  /** Whether it is there; `changed` is told once of what befalls it. */
  async exists(path: string, changed: () => void): Promise<boolean> {
    return (await asked<object | null>((done) => this.#driver.exists(path, changed, done))) !== null
  }

  remove(path: string): Promise<void> {
    return asked((done) => this.#driver.remove(path, done))
  }

  close(): void {
    this.#driver.close()
  }
}

function asked<T>(call: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))))
}
