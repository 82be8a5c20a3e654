import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { keeper } from './keeper/keeper.ts'
import { findRequired } from './requirements.ts'

/** Paths of PEM files. */
export interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** A throw-away authority, and what it has certified for a server on 127.0.0.1, alias localhost. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await keeper().call('folder', 'tls')
  const openssl = (...args: string[]) => promisify(execFile)(findRequired('openssl'), args, { cwd: folder })
  const keyPair = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const authority = ['-subj', '/CN=authority', '-addext', 'keyUsage=keyCertSign', '-keyout', 'ca.key', '-out', 'ca.crt']
  await openssl('req', '-x509', '-days', '2', ...keyPair, ...authority)
  await openssl('req', ...keyPair, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr')
  await writeFile(join(folder, 'server.ext'), 'subjectAltName = IP:127.0.0.1, DNS:localhost\n')
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'server.ext']
  await openssl('x509', '-req', '-in', 'server.csr', '-days', '2', ...signing, '-out', 'server.crt')
  return { ca: join(folder, 'ca.crt'), cert: join(folder, 'server.crt'), key: join(folder, 'server.key') }
}
