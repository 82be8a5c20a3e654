import { accessSync, constants, statfsSync, statSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { invalid, LockError, shown, unsupported } from '@locks/core/backend'

// From linux/magic.h and the file systems' own sources.
const networkTypes = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x47504653, 'GPFS'],
])

/** Refuses a path where the database cannot be, before SQLite is asked, which does not say why. */
export function checkLocation(path: string): void {
  const folder = dirname(path)
  const found = existing(folder)
  if (!found) throw invalid(`the folder ${shown(folder)} does not exist; create it, or name another path`)
  if (!found.isDirectory()) throw invalid(`${shown(folder)} is not a folder`)
  // The folder too: SQLite keeps its log there, and the wake-up files are beside it.
  checkAccess(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  for (const file of [path, `${path}-wal`, `${path}-shm`]) checkFile(file)
  refuseNetwork(path, statfsSync(folder).type)
}

function checkFile(path: string): void {
  const found = existing(path)
  if (!found) return
  if (!found.isFile()) throw invalid(`${shown(path)} is ${found.isDirectory() ? 'a folder' : 'no regular file'}`)
  checkAccess(path, constants.R_OK | constants.W_OK)
}

export function refuseNetwork(path: string, type: number): void {
  const name = networkTypes.get(type)
  if (!name) return
  throw unsupported(
    `${shown(path)} is on a network file system (${name}), where SQLite's write-ahead log does not work; ` +
      'name a path on a local disk',
  )
}

function existing(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') throw denied(path)
    throw invalid(`${shown(path)} cannot be looked up (${code})`)
  }
}

function checkAccess(path: string, mode: number): void {
  try {
    accessSync(path, mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EROFS') {
      throw new LockError('UNAVAILABLE', `${shown(path)} is on a read-only file system`, { temporary: false })
    }
    throw denied(path)
  }
}

function denied(path: string): LockError {
  const user = process.getuid ? `user ${process.getuid()}` : 'this user'
  const message = `${user} may not read and write ${shown(path)}; the database, its folder and the files beside it need that`
  return new LockError('UNAVAILABLE', message, { temporary: false })
}
