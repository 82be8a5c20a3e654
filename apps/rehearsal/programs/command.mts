import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'

const locks = (...args: string[]) => {
  const { status, stderr } = spawnSync('node_modules/.bin/locks', args, { encoding: 'utf8' })
  return { status, stderr }
}
const name = `deploy-${randomUUID()}`
const held = `process.exit(require('node:child_process').spawnSync('node_modules/.bin/locks', ['run', '--wait', '0', '${name}', '--', 'true']).status)`
// The command's own exit code; and 75 of the second, which finds the lock held.
assert.deepEqual(locks('run', name, '--', process.execPath, '-e', 'process.exit(7)'), { status: 7, stderr: '' })
assert.equal(locks('run', name, '--', process.execPath, '-e', held).status, 75)
// Alone it has no other store, and says what to install for one.
const elsewhere = locks('ls', '--url', 'redis://127.0.0.1')
assert.equal(elsewhere.status, 64)
assert.match(elsewhere.stderr, /npm install --global @locks\/redis ioredis@6/)
