import { costs, ourCosts } from './benchmarks.ts'
import { chances, type Chance } from './chances.ts'
import { read } from './files.ts'
import { linear, logarithmic, plot } from './plot.ts'
import { number, rowsOf } from './tables.ts'

/** Pictures of the tables in the reports, drawn each time that the site is built. */
export const charts: Readonly<Record<string, () => string>> = {
  chances: () =>
    intervals(
      'Within three tries, at moments without a fault under way',
      chances().filter(({ fault }) => fault === 'none'),
      ({ backend }) => backend,
    ),
  'chances-faults': () =>
    intervals(
      'Redis, within three tries, by the fault that was under way',
      chances().filter(({ backend, fault }) => backend === 'redis' && fault !== 'none'),
      ({ fault }) => fault,
    ),
  handovers: () => {
    const rows = rowsOf(read('docs/chaos.md'), 'after', 'median, ms', 'p99', 'most')
      .filter(({ mode, after }) => mode === 'safety' && after === 'a release')
      .map((row) => ({ label: row['backend'] ?? '', dot: number(row['median, ms']), bar: number(row['p99']) }))
    const scale = logarithmic(rows.flatMap(({ dot, bar }) => [dot, bar]))
    return plot(
      'From a release to the next holder under faults, ms',
      '● median, | 99th percentile',
      scale,
      rows.map((row) => ({ ...row, interval: [row.dot, row.bar], value: `${row.dot} | ${row.bar}` })),
    )
  },
  'lock-costs': ourCosts,
  uncontended: () => costs('Acquire and release', 'uncontended', 'one at a time'),
  'many-names': () => costs('Acquire and release', 'many-names', '64 names at once'),
  'try-held': () => costs('A try that is refused', 'try-held', 'held by another client'),
  'slow-network': () => costs('Acquire and release', 'slow-network', '5 ms each way'),
  handoff: () => costs('From a release to the next holder', 'handoff', '100 waiters in 4 processes'),
  readers: () => costs('Each lock', 'readers', '20 clients, one in 10 writes'),
  semaphore: () => costs('Each permit', 'semaphore', '10 permits, 1,000 waiters'),
  recovery: () => costs('Until the next waiter has the lock', 'recovery', 'kill -9 of a holder, ttl 3 s'),
}

/** Pictures that stand below a heading of a report that is made by a program, by the heading's name. */
export const illustrations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/bench.md': {
    'what-it-costs': 'lock-costs',
    'a-free-lock': 'uncontended',
    '64-names-at-once': 'many-names',
    'a-try-on-a-held-name': 'try-held',
    'a-slow-network': 'slow-network',
    handoff: 'handoff',
    'readers-and-few-writers': 'readers',
    'a-semaphore-of-10': 'semaphore',
    'after-kill--9': 'recovery',
  },
}

/** Measured shares with their intervals, and the predictions beside them. */
function intervals(title: string, found: readonly Chance[], labelOf: (chance: Chance) => string): string {
  const least = Math.min(...found.flatMap(({ low, predicted }) => [low, predicted]))
  const scale = linear(Math.min(80, Math.floor(least / 20) * 20), 100, 4, ' %')
  const rows = found.map((each) => ({
    label: labelOf(each),
    dot: each.measured,
    interval: [each.low, each.high] as const,
    bar: each.predicted,
    value: `${each.measured} %`,
  }))
  return plot(title, '● measured, — its 95 % interval, | predicted for independent tries', scale, rows)
}
