import { only, type Acquire, type History } from './history.ts'
import { Findings, type Verdict } from './verdict.ts'

/** After everything has been healed, whatever was pending ends in time, and whoever asks anew is served. */
export function liveness(history: History): Verdict {
  const findings = new Findings('liveness after healing')
  const calls = only(history, 'acquire')
  for (const { at, until, deadline } of only(history, 'heal')) {
    for (const call of calls) {
      if (call.invoked > until || (call.completed !== null && call.completed < at)) continue
      findings.checked++
      const message = complaint(call, deadline)
      if (message === undefined) continue
      findings.add({ message: `${call.client} ${message}`, at, name: call.name, records: [call.id] })
    }
  }
  return findings.verdict()
}

function complaint({ completed, probe, outcome, why }: Acquire, deadline: number): string | undefined {
  if (completed === null) return 'is never answered'
  if (completed > deadline) return `is answered ${Math.round(completed - deadline)} ms too late`
  if (probe && outcome !== 'ok') return `is not served: ${why ?? outcome}`
  return undefined
}
