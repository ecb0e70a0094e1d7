// The deployment's own certificate authority and the certificates it issues: ECDSA P-256, which Go's
// TLS and Node's both accept. Keys are made once and kept; a certificate is derived from its key and
// reissued when it is missing, near its end, or not of this authority. Issues; never decides who may
// have one. No revocation lists: a party is shut out by taking its nkey out of the accounts.

// x509 resolves its classes through decorators and refuses to load without this.
import 'reflect-metadata'
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type webcrypto,
  X509Certificate,
} from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { PkiError } from './pki-error.ts'
import { createOnce, readIfPresent, replaceFile } from './state-files.ts'

export interface Authority {
  /** First its own certificate; after it those that are still, or already, trusted besides. */
  readonly certificatePem: string
  readonly keyPem: string
}

/** What a certificate is for; one never serves as the other, so no party can pose as the server. */
export type Purpose = 'server' | 'client'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 86_400_000
/** Of the authority: longer than the machine lives. Its key is the state folder's owner's anyway. */
export const authorityLifeMs = 3_650 * dayMs
/** Of a party's certificate: what the largest public authorities allowed for years. */
export const certificateLifeMs = 398 * dayMs
/** Renewed at a start within this of its end: a platform restarted twice a year never runs out. */
export const renewBeforeMs = 199 * dayMs
// Valid from a little before now, so that a clock set back at boot does not refuse everything.
const backdateMs = dayMs
// The same in every deployment: what tells two authorities apart is their key.
const authorityName = 'CN=Bulkhead authority'

/** Reads the authority below these paths, or makes it. */
export async function prepareAuthority(
  files: { readonly certificate: string; readonly key: string },
  now: number,
): Promise<Authority> {
  const keyPem = await prepareKey(files.key)
  const present = await readIfPresent(files.certificate)
  if (present !== undefined && isCurrent(present, { keyPem, issuerPem: present, now })) {
    return { certificatePem: present, keyPem }
  }
  const keys = await toKeyPair(keyPem)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: authorityName,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + authorityLifeMs),
    extensions: [
      // Path length 0: it signs parties, never another authority.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const certificatePem = `${certificate.toString('pem')}\n`
  await replaceFile(files.certificate, certificatePem)
  return { certificatePem, keyPem }
}

/** Reads the certificate and key below these paths, or makes what is missing or out of date. */
export async function prepareCertificate(
  files: { readonly certificate: string; readonly key: string },
  subject: { readonly name: string; readonly purpose: Purpose },
  authority: Authority,
  now: number,
): Promise<void> {
  const keyPem = await prepareKey(files.key)
  const present = await readIfPresent(files.certificate)
  const issuers = splitPem(authority.certificatePem)
  const isKept = issuers.some(
    (issuerPem) => present !== undefined && isCurrent(present, { keyPem, issuerPem, now }),
  )
  if (isKept) return
  const { publicKey } = await toKeyPair(keyPem)
  const signer = await toKeyPair(authority.keyPem)
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [subject.name] }],
    issuer: authorityName,
    publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + certificateLifeMs),
    extensions: await extensionsFor(subject.purpose, publicKey, signer.publicKey),
  })
  await replaceFile(files.certificate, `${certificate.toString('pem')}\n`)
}

/** Milliseconds since the epoch. */
export function issuedAt(certificatePem: string): number {
  return Date.parse(new X509Certificate(certificatePem).validFrom) + backdateMs
}

/** The certificates of a file that may hold several. */
export function splitPem(text: string): readonly string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => `${block}\n`)
}

async function extensionsFor(
  purpose: Purpose,
  publicKey: webcrypto.CryptoKey,
  issuerKey: webcrypto.CryptoKey,
): Promise<x509.Extension[]> {
  const usage =
    purpose === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([usage], true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(issuerKey),
  ]
  if (purpose === 'server') {
    extensions.push(
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    )
  }
  return extensions
}

/** True when the certificate is of this key and this issuer and lives long enough. */
function isCurrent(
  certificatePem: string,
  against: { readonly keyPem: string; readonly issuerPem: string; readonly now: number },
): boolean {
  try {
    const certificate = new X509Certificate(certificatePem)
    const issuer = new X509Certificate(against.issuerPem)
    return (
      certificate.checkPrivateKey(createPrivateKey(against.keyPem)) &&
      certificate.verify(issuer.publicKey) &&
      Date.parse(certificate.validFrom) <= against.now &&
      Date.parse(certificate.validTo) - against.now > renewBeforeMs
    )
  } catch {
    // Not a certificate: it is derived, so it is made anew. A key never is.
    return false
  }
}

async function prepareKey(path: string): Promise<string> {
  const pem = await createOnce(
    path,
    () =>
      generateKeyPairSync('ec', {
        namedCurve: 'P-256',
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      }).privateKey,
  )
  assertKey(pem, path)
  return pem
}

function assertKey(pem: string, path: string): void {
  try {
    const details = createPrivateKey(pem).asymmetricKeyDetails
    if (details?.namedCurve === 'prime256v1') return
  } catch (cause) {
    throw new PkiError('UNREADABLE', `${path} is not a private key`, { cause })
  }
  throw new PkiError('UNREADABLE', `${path} is not a P-256 key`)
}

async function toKeyPair(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const privateKey = createPrivateKey(keyPem)
  return {
    privateKey: privateKey.toCryptoKey(algorithm, false, ['sign']),
    publicKey: createPublicKey(privateKey).toCryptoKey(algorithm, true, ['verify']),
  }
}
