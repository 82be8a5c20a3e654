import { spawn } from 'node:child_process'
import process from 'node:process'

/**
 * Runs a command to its end and forwards the signals that arrive meanwhile.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, received: NodeJS.Signals | null }>}
 *   how the command ended, and the last signal that this process was sent
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options })
    /** @type {NodeJS.Signals | null} */
    let received = null
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      received = signal
      // A terminal sends its Ctrl-C to the child as well.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    }
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGHUP', 'SIGINT', 'SIGTERM']
    const stop = () => signals.forEach((signal) => process.off(signal, forward))
    signals.forEach((signal) => process.on(signal, forward))
    child.once('error', (error) => {
      stop()
      reject(error)
    })
    child.once('exit', (code, signal) => {
      stop()
      resolve({ code, signal, received })
    })
  })
}

/**
 * Ends this process as a command ended.
 *
 * @param {{ code: number | null, signal: NodeJS.Signals | null }} end
 */
export function endAs({ code, signal }) {
  if (signal) process.kill(process.pid, signal)
  process.exitCode = code ?? 1
}
