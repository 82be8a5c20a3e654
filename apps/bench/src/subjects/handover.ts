import type { ManagerOptions } from '@locks/core'

/** The option of a manager that has waiters of one process hand over among themselves; undefined while there is none. */
export const localHandover: ManagerOptions | undefined = undefined
