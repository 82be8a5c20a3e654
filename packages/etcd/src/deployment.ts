import { LockError, unsupported } from '@locks/core/backend'
import type { IStatusResponse } from 'etcd3'
import type { Members } from './members.ts'

export type Notice = (code: string, message: string) => void

const oldest = [3, 4, 0] as const
/** The first release of 3.5 in which a leader that has been replaced revokes no leases any more; so does all of 3.6. */
const revokesNothingOld = [3, 5, 13] as const

/** Looks at the member that is spoken to before anybody relies on it. */
export async function inspect(members: Members, notice: Notice): Promise<void> {
  const { version, errors } = await statusOf(members)
  if (!isAtLeast(version, oldest)) throw unsupported(`the etcd server is ${version}; 3.4 or newer is needed`)
  if (!isAtLeast(version, revokesNothingOld)) {
    notice(
      'ETCD_MAY_REVOKE_LEASES',
      `the etcd server is ${version}, in which a leader that was stuck may revoke live leases when it goes on` +
        ' (etcd-io/etcd#15247): all locks of the processes concerned are then lost at once; 3.5.13 and newer do not',
    )
  }
  if (errors.some((error) => error.includes('NOSPACE'))) {
    notice('ETCD_NO_SPACE', 'the etcd database is full (alarm NOSPACE): no lock can be granted until it is disarmed')
  }
}

/** What it says of itself, where the user may ask. */
async function statusOf(members: Members): Promise<Pick<IStatusResponse, 'version' | 'errors'>> {
  try {
    return await members.call((client, options) => client.maintenance.status(options))
  } catch (error) {
    if (LockError.find(error)?.message.includes('the user may not')) return { version: '', errors: [] }
    throw error
  }
}

/** One that says nothing may be any. */
function isAtLeast(version: string, wanted: readonly number[]): boolean {
  if (version === '') return true
  const parts = version.split(/[.-]/).map(Number)
  for (const [at, least] of wanted.entries()) {
    const part = parts[at] ?? 0
    if (part !== least) return part > least
  }
  return true
}
