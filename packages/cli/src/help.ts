import { exitCodes } from './exit-codes.ts'

export const examples = {
  all: `Examples:
  locks run deploy -- make deploy             one at a time, on this machine
  locks ls                                    who holds what
  LOCKS_URL=redis://db locks run deploy -- make deploy     ... on all machines
  locks run --help                            more of them`,

  run: `Examples:
  locks run nightly -- ./backup.sh            waits for its turn, then runs the script
  locks run --wait 0 nightly -- ./backup.sh   ends with ${exitCodes.conflict} if another runs it already
  locks run --wait 10s --conflict-exit-code 0 nightly -- ./backup.sh
  locks run --shared schema -- ./report.sh    readers together, writers alone
  locks run --permits 4 gpu -- ./train.py     four at a time; --weight 2 takes two
  locks run from to -- ./transfer.sh          both or none, in any order without a deadlock
  locks run x -- sh -c 'psql -v fence="$LOCKS_TOKEN" -f write.sql'

The command finds LOCKS_NAME, LOCKS_TOKEN and LOCKS_OWNER in its environment; of several locks one a line.`,

  elect: `Examples:
  locks elect scheduler -- ./scheduler.js     on every machine; it runs on one of them
  locks elect --ttl 5s scheduler -- ./scheduler.js     another takes over 5 s after a crash
  locks elect --value "http://$HOSTNAME:8080" scheduler -- ./scheduler.js     locks leader shows it

The command is stopped when leadership is lost, and started again when it returns. When it ends by itself, so does this.`,

  leader: `Examples:
  locks leader scheduler                      its value, then owner, token, and for how long
  locks leader scheduler --watch              a line each time that it changes
  locks leader scheduler --json | jq -r .value`,

  ls: `Examples:
  locks ls
  locks ls --watch
  locks ls --json | jq -r '.[] | select(.waiting | length > 0).name'`,

  inspect: `Examples:
  locks inspect deploy
  locks inspect deploy --watch --interval 500ms
  locks inspect deploy --json | jq -r '.held[0].owner'`,

  break: `Examples:
  locks inspect deploy                        shows owner and token
  locks break deploy --owner web-1:4242 --token 1790000000000017
  locks break deploy --owner web-1:4242 --token 1790000000000017 --yes

A command that runs under the lock by \`locks run\` is stopped when it learns of this, at its next renewal.`,

  doctor: `Examples:
  locks doctor
  LOCKS_URL=redis://db locks doctor --json`,
} as const

export const storeHelp = `The store is the one in --url, --url-file or the environment variable LOCKS_URL; else an SQLite file of this user, which
serves the processes of this machine. A password is taken from the file of --url-file and from LOCKS_URL only.`

export const stoppedHelp = `Loss: when the store has been silent for too long, or says that the lock is taken away, the command gets SIGTERM, and
after the grace SIGKILL, before the deadline up to which the store keeps the lock. (A lock that was broken or stolen has
its next holder at once.) A locks process that is stopped (SIGSTOP, a debugger, a suspended machine) cannot do that:
others may get the lock while the command runs on. The first thing it does on waking is to kill the command. Where that
is not enough, let what is written to refuse a LOCKS_TOKEN lower than the last. Ctrl-Z stops the command as well.`

export const exitCodesHelp = `Exit codes:
  the command's own, or death by the signal that ended it; else
  ${exitCodes.failed}    no, to a question; a fault of locks itself
  ${exitCodes.usage}   wrong usage, or the store has no such thing
  ${exitCodes.unavailable}   the store cannot be reached
  ${exitCodes.conflict}   not granted in time (--wait), or at once (--wait 0); not what break was told to break
  ${exitCodes.lost}   the lock was lost, and the command was stopped for it
  ${exitCodes.notExecutable}  the command cannot be run
  ${exitCodes.notFound}  the command was not found`
