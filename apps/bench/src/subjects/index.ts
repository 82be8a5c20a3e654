import type { BackendName } from '../names.ts'
import type { Subject } from './subject.ts'

/** Of one backend; the others, and what they bring along, are not loaded. */
export async function subjectsOf(backend: BackendName): Promise<readonly Subject[]> {
  const { subjects } = (await import(`./${backend}.ts`)) as { readonly subjects: readonly Subject[] }
  return subjects
}

export async function subjectOf(backend: BackendName, name: string): Promise<Subject> {
  const found = (await subjectsOf(backend)).find((subject) => subject.name === name)
  if (!found) throw new Error(`there is no subject ${JSON.stringify(name)} of ${backend}`)
  return found
}
