/** What `locks` itself ends with. A command that ran under its lock to its own end passes on its own status instead. */
export const exitCodes = {
  /** `locks break` was answered with no; whoever read the output has left; a fault of this program. */
  failed: 1,
  /** The call is wrong, or the backend has no such thing. The message says what is allowed. */
  usage: 64,
  /** The store cannot be reached. */
  unavailable: 69,
  /** Not granted within `--wait`; not what `locks break` was told to break. `--conflict-exit-code` names another. */
  conflict: 75,
  /** The lock was lost, and the command was stopped for it. */
  lost: 76,
  /** As shells have it: the command cannot be run, or is not there. */
  notExecutable: 126,
  notFound: 127,
} as const
