// For each code of refusal: the check that gives it, removed alone from what is built, and the
// case of the token suite that then fails. A check whose removal no case notices fails this test.

import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CapabilityCode, capabilityCodes } from '../../security/capability-codes.ts'
import { printTable } from '../support/case-table.ts'
import type { TokenCaseResult } from '../support/token-case-runner.ts'

interface Guard {
  readonly code: CapabilityCode
  readonly file: string
  /** The check as it stands, and what stands there instead. Occurs exactly once. */
  readonly check: string
  readonly instead: string
}

const jws = 'security/verify/jws.ts'
const token = 'security/verify/token.ts'
const clear = 'security/verify/clear.ts'
const admission = 'agents/admission.ts'
const never = 'if (Date.now() < 0)'
const gone = (code: CapabilityCode, file: string, check: string, instead = never): Guard => ({
  code,
  file,
  check,
  instead,
})

const guards: readonly Guard[] = [
  gone('TOKEN_MALFORMED', jws, 'if (jws.length > expected.maxCharacters || !compact.test(jws))'),
  gone('TOKEN_ALGORITHM', jws, "if (members.get('alg') !== 'EdDSA')"),
  gone('TOKEN_TYPE', jws, "if (members.get('typ') !== type)"),
  gone('TOKEN_HEADER', jws, 'if (!headerNames.has(name))'),
  gone('TOKEN_HEADER', jws, "if (typeof kid !== 'string') throw", `${never} throw`),
  gone('TOKEN_KEY_UNKNOWN', jws, 'if (key === undefined) throw', `${never} throw`),
  gone(
    'TOKEN_SIGNATURE',
    jws,
    "payload = (await compactVerify(jws, key, { algorithms: ['EdDSA'] })).payload",
    "payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url')",
  ),
  gone('TOKEN_AUDIENCE', token, 'if (audienceOf(payload) !== expected.audience)'),
  gone('TOKEN_CLAIMS', 'security/verify/claims.ts', 'z.strictObject({\n  iss', 'z.object({\n  iss'),
  gone('TOKEN_ISSUER', token, 'if (claims.iss !== expected.issuer)'),
  gone('TOKEN_LIFE', token, 'if (life <= 0 || life > tokenLifeSeconds)'),
  gone('TOKEN_LIFE', token, 'life <= 0 || ', ''),
  gone('TOKEN_EXPIRED', token, 'if (nowSeconds - tokenSkewSeconds >= claims.exp)'),
  gone('TOKEN_NOT_YET', token, 'if (nowSeconds + tokenSkewSeconds < claims.nbf)'),
  gone('TOKEN_NOT_YET', token, 'if (nowSeconds + tokenSkewSeconds < claims.iat)'),
  gone('TOKEN_BINDING', token, 'if (claims.cnf.nk_s256 !== sha256(expected.nkey))'),
  gone('WRONG_OPERATION', clear, 'if (claims.op !== access.op)'),
  gone('DETAILS_COUNT', clear, 'if (claims.authorization_details.length !== 1)'),
  gone('WRONG_ACTION', clear, 'detail.agent !== access.agent || ', ''),
  gone('WRONG_ACTION', admission, 'if (detail.effect !== action.declaration.effect)'),
  gone(
    'APPROVAL_MISSING',
    clear,
    "if (detail.effect === 'irreversible' && claims.appr === undefined)",
  ),
  gone('SALT_MISMATCH', clear, 'if (detail.salt !== access.salt)'),
  gone('ARGS_HASH', clear, 'if (detail.args_s256 !== hashOrRefuse(access))'),
  gone('UNKNOWN_ACTION', admission, 'if (action === undefined)'),
  gone('INVALID_ARGS', admission, 'run === undefined', 'run === null'),
  gone(
    'MALFORMED',
    admission,
    'parseStrictJson(canonicalJson(request.args), {',
    '((value: unknown, _: object) => value)(request.args, {',
  ),
  gone('EXPIRED_MESSAGE', 'security/message.ts', 'now > message.timestamp +', '0 > 1 +'),
  gone('REPLAY', 'agents/ledger.ts', 'if (changes === 0)'),
  gone('IDEM_CONFLICT', 'agents/ledger.ts', 'if (row.args_hash !== claim.argsHash)'),
  gone(
    'LEDGER_UNAVAILABLE',
    'agents/runtime.ts',
    "if (ledger === undefined) return refuse(self, 'LEDGER_UNAVAILABLE', idem)",
    'if (ledger === undefined) return { status: "UNKNOWN", receipt: "", envelope: "" }',
  ),
]

const root = resolve(import.meta.dirname, '..', '..')
const base = mkdtempSync(join(tmpdir(), 'bulkhead-guards-'))
const rows: (readonly string[])[] = []

interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

let builds = 0

/** The cases, built from the sources with one place changed. */
async function failingCases(change?: Change): Promise<readonly TokenCaseResult[]> {
  builds += 1
  const outfile = join(base, `cases-${builds}.mjs`)
  const plugins = change === undefined ? [] : [changed(change)]
  await build({
    entryPoints: [join(root, 'test', 'support', 'token-case-runner.ts')],
    outfile,
    plugins,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
  })
  const cases = (await import(pathToFileURL(outfile).href)) as {
    runTokenCases(): Promise<readonly TokenCaseResult[]>
  }
  return (await cases.runTokenCases()).filter(({ wanted, got }) => wanted !== got)
}

function changed({ file, from, to }: Change): Plugin {
  const path = join(root, file)
  const text = readFileSync(path, 'utf8')
  expect(text.split(from), 'the check is where it was').toHaveLength(2)
  return {
    name: 'one-check-less',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, (loaded) =>
        loaded.path === path ? { contents: text.replace(from, to), loader: 'ts' } : undefined,
      )
    },
  }
}

beforeAll(() => symlinkSync(join(root, 'node_modules'), join(base, 'node_modules')))

afterAll(() => {
  rmSync(base, { recursive: true, force: true })
  printTable(
    'each check of a token, removed alone',
    ['code', 'removed from', 'case that fails', 'it then comes to'],
    rows,
  )
})

describe('the cases of the token suite', () => {
  it('all come to what they should as the sources are', async () => {
    expect(await failingCases()).toEqual([])
  })

  it.each(guards)(
    'notice that $code is not asked any more: $check',
    async ({ code, file, check, instead }) => {
      const failing = (await failingCases({ file, from: check, to: instead }))
        .filter(({ wanted }) => wanted === code)
        // The most telling first: that it was carried out.
        .toSorted((one, other) => Number(other.got === 'DONE') - Number(one.got === 'DONE'))
      expect(failing).not.toEqual([])
      const [first] = failing
      rows.push([code, file, `${first?.id} ${first?.name}`, first?.got ?? ''])
    },
  )

  it('are asked by a check for every code there is', () => {
    expect(new Set(guards.map(({ code }) => code))).toEqual(new Set(capabilityCodes))
  })
})
