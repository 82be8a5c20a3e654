import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Ending } from './child/ending.ts'
import { milliseconds } from './durations.ts'
import { exitCodes } from './exit-codes.ts'
import { failureOf, misuse } from './failure.ts'
import { examples, exitCodesHelp, stoppedHelp, storeHelp } from './help.ts'

/** Runs what the arguments name. A command's own code is loaded then, and no other's. */
export async function parse(argv: readonly string[]): Promise<Ending> {
  // What stands behind -- is another program's, down to its options.
  const end = argv.indexOf('--')
  const [own, command] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end + 1)]
  const verb = own.find((each) => each in examples)
  if (command.length > 0 && verb !== undefined && verb !== 'run' && verb !== 'elect') {
    throw misuse(`locks ${verb} runs no command: nothing may stand behind --`)
  }
  const chosen = { ending: exitCodes.usage as Ending }
  try {
    await program(command, chosen).parseAsync(own, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    // Without any argument there is help, and no message.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage
    if (error instanceof CommanderError && error.code === 'commander.unknownOption' && own[0]?.startsWith('-')) {
      throw misuse(`${failureOf(error).message}; options stand behind the command, as in: locks ls --url URL`)
    }
    throw error
  }
  return chosen.ending
}

function program(command: readonly string[], chosen: { ending: Ending }): Command {
  const root = new Command('locks')
    .description('Runs commands under distributed locks, and shows who holds them and who waits.')
    .version(version())
    .exitOverride()
    // One line about what is wrong comes from where all failures are told.
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', `\n${examples.all}\n\n${storeHelp}\n\n${exitCodesHelp}`)

  const run = root.command('run <names...>').description('run a command under a lock, or under several at once')
  run
    .usage('[options] NAME... -- COMMAND [ARGUMENT...]')
    .option('--wait <time>', 'give up after this time; 0: at once (waits for ever)', time('--wait'))
    .option('--conflict-exit-code <n>', 'the exit code then', exitCode, exitCodes.conflict)
    .option('--shared', 'together with other shared holders')
    .addOption(new Option('--permits <n>', 'a semaphore: so many at a time').argParser(count).conflicts('shared'))
    .option('--weight <n>', 'how many of the permits to take (1)', count)
  stored(working(run)).action(async (names: string[], options) => {
    chosen.ending = await (await import('./commands/run.ts')).run(names, command, options)
  })

  const elect = root.command('elect <name>').description('run a command while this leads, each time that it does')
  elect
    .usage('[options] NAME -- COMMAND [ARGUMENT...]')
    .option('--value <text>', 'what `locks leader` shows of it, such as an address')
  stored(working(elect)).action(async (name: string, options) => {
    chosen.ending = await (await import('./commands/elect.ts')).elect(name, command, options)
  })

  const leader = root.command('leader <name>').description('show who leads')
  leader.option('-w, --watch', 'go on, with every change as the store tells of it')
  stored(leader).action(async (name: string, options) => {
    chosen.ending = await (await import('./commands/leader.ts')).leader(name, options)
  })

  const ls = root.command('ls').description('list what is held and waited for')
  stored(watched(ls)).action(async (options) => {
    chosen.ending = await (await import('./commands/ls.ts')).ls(options)
  })

  const inspect = root.command('inspect <name>').description('show who holds a lock, and who waits, in order')
  stored(watched(inspect)).action(async (name: string, options) => {
    chosen.ending = await (await import('./commands/inspect.ts')).inspect(name, options)
  })

  const breaks = root.command('break <name>').description('take a lock from its holder and leave it to the next waiter')
  breaks
    .requiredOption('--owner <owner>', 'whose it is, as inspect shows it')
    .requiredOption('--token <token>', 'which grant it is, as inspect shows it')
    .option('-y, --yes', 'ask no question')
  stored(breaks).action(async (name: string, { owner, ...options }) => {
    chosen.ending = await (await import('./commands/break.ts')).breakLock(name, { ...options, holder: owner })
  })

  const doctor = root.command('doctor').description('look at the store: reachable, how fast, what it promises')
  stored(doctor).action(async (options) => {
    chosen.ending = await (await import('./commands/doctor.ts')).doctor(options)
  })

  for (const each of root.commands) each.addHelpText('after', `\n${examples[each.name() as keyof typeof examples]}`)
  for (const each of [run, elect]) each.addHelpText('after', `\n${stoppedHelp}\n\n${exitCodesHelp}`)
  return root
}

const stored = (command: Command): Command =>
  command
    .optionsGroup('Store:')
    .option('--url <url>', 'the store, without a password')
    .option('--url-file <path>', "a file with the store's URL")
    .option('--namespace <name>', 'locks of different namespaces never meet (locks)')
    .optionsGroup('Output:')
    .option('--json', 'for programs: JSON instead of text')
    .helpOption('-h, --help', 'this text')

const working = (command: Command): Command =>
  command
    .option('--ttl <time>', 'how long a crash may keep others out (10s)', time('--ttl'))
    .option('--grace <time>', 'between SIGTERM and SIGKILL on loss (2s of a ttl of 10s, at most 3.5s)', time('--grace'))
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
