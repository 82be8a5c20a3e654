/** Settles when so many promises have come true, or cannot any more: whoever is silent is not waited for. */
export function atLeast(count: number, promises: readonly Promise<boolean>[]): Promise<boolean> {
  return new Promise((resolve) => {
    let [yes, open] = [0, promises.length]
    const look = () => {
      if (yes >= count) resolve(true)
      else if (yes + open < count) resolve(false)
    }
    const settled = (answer: boolean) => {
      open--
      if (answer) yes++
      look()
    }
    for (const each of promises) {
      each.then(settled, () => settled(false))
    }
    look()
  })
}
