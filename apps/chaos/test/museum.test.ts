/** Broken backends, of the same museum that the suite's cases are tried on: the campaign must find them out too. */
import { pieces } from '@locks/core/museum'
import { describe, expect, test } from 'vitest'
import { runCampaign, type Mode } from '../src/campaign.ts'
import { judge } from '../src/judge.ts'
import { inMemory } from '../src/stores/memory.ts'

interface Exhibit {
  readonly defect: string
  /** The checkers that object. */
  readonly found: readonly string[]
  readonly mode?: Mode
  readonly only?: string
  readonly ms?: number
  readonly alone?: boolean
}

const tokens = { found: ['token order'], ms: 3_000 } as const

const exhibits: readonly Exhibit[] = [
  { defect: 'keeps its locks in each client by itself', found: ['overlap of holds', 'token order'] },
  { defect: 'counts tokens in an entry that goes away when the name is free', ...tokens },
  { defect: 'counts tokens in floating point beyond 2^53', ...tokens },
  { defect: 'counts tokens in each client', ...tokens },
  { defect: 'gives everybody of one moment the same token, for it is a time', ...tokens },
  { defect: 'knows of a loss by a timer only', found: ['holds past their deadline'], only: 'event loop stalled' },
  { defect: 'releases a name without asking whose it is', found: ['overlap of holds'], only: 'line silent' },
  {
    defect: 'asks whichever replica is nearest: an answer may be older than the one before',
    found: ['leaders as observed'],
  },
  {
    // As a `SET NX` is that a driver sends again: it finds its own lock and takes it for another's.
    defect: 'answers a repeated request as if it came from somebody else',
    found: ['refused because of another'],
    mode: 'liveness',
    only: 'answers dropped',
    alone: true,
  },
]

const options = { mode: 'safety', seed: 5, ms: 8_000, workers: 3, lanes: 2 } as const

describe('a backend that', () => {
  for (const { defect, found, mode = 'safety', only = 'notifications lost', ms = 8_000, alone } of exhibits) {
    test(`${defect} is found out by: ${found.join(', ')}`, { timeout: 60_000 }, async () => {
      const piece = pieces.find((each) => each.defect === defect)
      expect(piece).toBeDefined()
      const crew = alone ? { workers: 1, lanes: 1 } : {}
      const run = { ...options, ...crew, mode, ms, only: [only], store: inMemory(defect, piece) }
      const { verdicts } = judge(await runCampaign(run), mode, run.store)
      const objecting = verdicts.filter(({ violations }) => violations.length > 0).map(({ checker }) => checker)
      expect(objecting).toEqual(expect.arrayContaining([...found]))
    })
  }

  test('is whole passes the same', { timeout: 60_000 }, async () => {
    const only = ['notifications lost', 'line silent', 'answers dropped', 'event loop stalled']
    const run = { ...options, only, store: inMemory() }
    expect(judge(await runCampaign(run), run.mode, run.store).violations).toBe(0)
  })
})
