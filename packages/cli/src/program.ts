import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Ending } from './child/ending.ts'
import { milliseconds } from './durations.ts'
import { exitCodes } from './exit-codes.ts'
import { examples, exitCodesHelp, stoppedHelp, storeHelp } from './help.ts'

/** Runs what the arguments name. A command's own code is loaded then, and no other's. */
export async function parse(argv: readonly string[]): Promise<Ending> {
  // What stands behind -- is another program's, down to its options.
  const end = argv.indexOf('--')
  const [own, command] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end + 1)]
  const chosen = { ending: exitCodes.usage as Ending }
  const root = commands(command, chosen)
  try {
    await root.parseAsync(own, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    // Without any argument there is help, and no message.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage
    throw error
  }
  return chosen.ending
}

function commands(command: readonly string[], chosen: { ending: Ending }): Command {
  const root = new Command('locks')
    .description('Runs commands under distributed locks, and shows who holds them and who waits.')
    .version(version())
    .exitOverride()
    // One line about what is wrong comes from where all failures are told.
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', `\n${examples.all}\n\n${storeHelp}\n\n${exitCodesHelp}`)

  const add = (usage: string, description: string) => {
    const name = usage.split(' ')[0] as keyof typeof examples
    return stored(root.command(usage).description(description)).addHelpText('after', `\n${examples[name]}`)
  }

  working(add('run <names...>', 'run a command under a lock, or under several at once'))
    .usage('[options] NAME... -- COMMAND [ARGUMENT...]')
    .option('--shared', 'together with other shared holders')
    .addOption(new Option('--permits <n>', 'a semaphore: so many at a time').argParser(count).conflicts('shared'))
    .option('--weight <n>', 'how many of the permits to take (1)', count)
    .option('--wait <time>', 'give up after this time; 0: at once (waits for ever)', time('--wait'))
    .option('--conflict-exit-code <n>', 'the exit code then', exitCode, exitCodes.conflict)
    .addHelpText('after', `\n${stoppedHelp}\n\n${exitCodesHelp}`)
    .action(async (names: string[], options) => {
      chosen.ending = await (await import('./commands/run.ts')).run(names, command, options)
    })
  working(add('elect <name>', 'run a command while this is the leader, again each time that it is'))
    .usage('[options] NAME -- COMMAND [ARGUMENT...]')
    .addHelpText('after', `\n${stoppedHelp}\n\n${exitCodesHelp}`)
    .action(async (name: string, options) => {
      chosen.ending = await (await import('./commands/elect.ts')).elect(name, command, options)
    })
  watched(add('ls', 'list what is held and waited for')).action(async (options) => {
    chosen.ending = await (await import('./commands/ls.ts')).ls(options)
  })
  watched(add('inspect <name>', 'show who holds a lock, and who waits, in order')).action(
    async (name: string, options) => {
      chosen.ending = await (await import('./commands/inspect.ts')).inspect(name, options)
    },
  )
  add('break <name>', 'take a lock from its holder and leave it to the next waiter')
    .requiredOption('--holder <owner>', 'whose it is, as inspect shows it under OWNER')
    .requiredOption('--token <token>', 'which grant it is, as inspect shows it')
    .option('-y, --yes', 'ask no question')
    .action(async (name: string, options) => {
      chosen.ending = await (await import('./commands/break.ts')).breakLock(name, options)
    })
  add('doctor', 'look at the store: can it be reached, how fast, what does it promise').action(async (options) => {
    chosen.ending = await (await import('./commands/doctor.ts')).doctor(options)
  })
  return root
}

const stored = (command: Command): Command =>
  command
    .option('--url <url>', 'the store, without a password')
    .option('--url-file <path>', "a file with the store's URL")
    .option('--namespace <name>', 'locks of different namespaces never meet (locks)')
    .option('--json', 'for programs: JSON instead of text')

const working = (command: Command): Command =>
  command
    .option('--ttl <time>', 'how long a crash may keep others out (10s)', time('--ttl'))
    .option('--grace <time>', 'between SIGTERM and SIGKILL on loss (4/10 of the ttl, less a reserve)', time('--grace'))
    .option('--owner <text>', 'what others see as the owner (host and process id)')

const watched = (command: Command): Command =>
  command
    .option('-w, --watch', 'go on looking')
    .option('--interval <time>', 'between two looks (1s)', time('--interval'))

const time = (option: string) => (text: string) => milliseconds(text, option)

function count(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 on.')
}

function exitCode(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 255) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 0 to 255.')
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}
