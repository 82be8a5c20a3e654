/** What the keeper can be asked to do. It names processes by numbers of its own, which are never used again. */
export interface KeeperVerbs {
  /** Makes a temporary folder, and will remove it. */
  folder(prefix: string): Promise<string>
  remove(folder: string): Promise<void>
  start(command: Command): Promise<Started>
  /** To the process and all that descends from it. Does nothing to one that has ended. */
  signal(id: number, signal: NodeJS.Signals): Promise<void>
  /** SIGKILL; resolves once the process and all that descends from it have ended. */
  kill(id: number): Promise<void>
  isRunning(id: number): Promise<boolean>
}

interface Command {
  readonly executable: string
  readonly args: readonly string[]
  /** The working folder. */
  readonly folder: string
  /** The file that all output is appended to. */
  readonly log: string
}

export interface Started {
  readonly id: number
  readonly pid: number
}
