// npm run demo: builds the packages and runs the demo on what was built, as a user's application would.
import process from 'node:process'
import { endAs, run } from './spawn.mjs'

// Standard output is the demo's.
const built = await run('turbo', ['run', 'build', '--output-logs=errors-only'], { stdio: ['ignore', 2, 2] })
if (built.code !== 0) endAs(built)
else endAs(await run(process.execPath, ['--disable-warning=ExperimentalWarning', 'apps/demo/src/main.ts', ...process.argv.slice(2)]))
