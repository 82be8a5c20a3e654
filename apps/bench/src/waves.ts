/** Does it for 0 to `count` - 1, `width` at a time, each beginning when another has ended. */
export async function inWaves(count: number, work: (at: number) => Promise<unknown>, width = 64): Promise<void> {
  let next = 0
  async function lane(): Promise<void> {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane))
}
