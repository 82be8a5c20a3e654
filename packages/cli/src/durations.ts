import { misuse } from './failure.ts'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** The longest time that a timer can wait for. */
const longest = 2_147_483_647

/** Milliseconds of "500ms", "10s", "1.5m", "2h" or "0". */
export function milliseconds(text: string, option: string): number {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  const value = text === '0' ? 0 : Number(parts?.[1]) * (units[parts?.[2] ?? ''] ?? Number.NaN)
  if (value <= longest) return value
  throw misuse(`${option} takes a time with its unit, such as 500ms, 10s, 5m or 2h, up to 24 days; got "${text}"`)
}

/** A span of time as people say it, to two units. */
export function span(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000
  if (seconds < 10) return `${seconds.toFixed(1)}s`
  const whole = Math.floor(seconds)
  const [minutes, hours, days] = [Math.floor(whole / 60), Math.floor(whole / 3_600), Math.floor(whole / 86_400)]
  if (minutes === 0) return `${whole}s`
  if (hours === 0) return `${minutes}m ${whole % 60}s`
  if (days === 0) return `${hours}h ${minutes % 60}m`
  return `${days}d ${hours % 24}h`
}
