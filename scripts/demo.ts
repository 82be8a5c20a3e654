// npm run demo: builds the packages and runs the demo on what was built, as a user's application would.
import process from 'node:process'
import { endAs, run } from './spawn.mjs'

const build = (output: 'ignore' | 2) => run('turbo', ['run', 'build'], { stdio: ['ignore', output, 2] })
const demo = ['--disable-warning=ExperimentalWarning', 'apps/demo/src/main.ts', ...process.argv.slice(2)]

let built = await build('ignore')
// Once more, for what it has to say.
if (built.code !== 0) built = await build(2)
endAs(built.code === 0 ? await run(process.execPath, demo) : built)
