// Statements in OFX, both generations, as banks write them and as nobody should: what is read, line by
// line, and what each awkward or hostile file ends in: a fault of one line, or a typed failure.

import { describe, expect, test } from 'vitest'
import { decodeText, ofxEncoding } from '../../agents/finance/file-text.ts'
import { readOfx } from '../../agents/finance/ofx.ts'

const code = (value: string) => expect.objectContaining({ name: 'ActionFailure', code: value })

const transaction = (fields: Record<string, string>, close = false) =>
  `<STMTTRN>${Object.entries(fields)
    .map(([tag, value]) => `<${tag}>${value}${close ? `</${tag}>` : ''}`)
    .join(close ? '' : '\n')}</STMTTRN>`
const usual = { TRNTYPE: 'DEBIT', DTPOSTED: '20261103120000.000[-5:EST]', TRNAMT: '-12.34' }
const ofxStatement = (id: string, transactions: string, currency = 'EUR') =>
  `<STMTTRNRS><TRNUID>1<STMTRS><CURDEF>${currency}<BANKACCTFROM><BANKID>1<ACCTID>${id}<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20261101<DTEND>20261130${transactions}</BANKTRANLIST></STMTRS></STMTTRNRS>`
const ofx = (statements: string) =>
  `OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX><BANKMSGSRSV1>${statements}</BANKMSGSRSV1></OFX>`
const readText = (text: string, source?: string) => readOfx({ file: 'a.ofx', text, source })

describe('an OFX file', () => {
  test('of the first generation has fields without closing tags, and texts with anything in them', () => {
    const fields = { ...usual, FITID: 'A1', NAME: 'Grocer &amp; Co {x} <b, "q"', MEMO: 'caf&#233;' }
    expect(readText(ofx(ofxStatement('A', transaction(fields)))).lines).toEqual([
      {
        ...{ reference: 'A1', date: '2026-11-03', money: { minor: -1234, currency: 'EUR' } },
        ...{ payee: 'Grocer & Co {x} <b, "q"', note: 'café' },
      },
    ])
  })

  test('of the second generation says the same', () => {
    const fields = { ...usual, FITID: 'A1', NAME: 'Grocer' }
    const body = ofx(ofxStatement('A', transaction(fields, true)))
    const xml = `<?xml version="1.0" encoding="UTF-8"?><?OFX OFXHEADER="200"?>${body.slice(body.indexOf('<OFX>'))}`
    expect(readText(xml)).toEqual(readText(ofx(ofxStatement('A', transaction(fields)))))
  })

  test('of two accounts is read for the one that is named, never for both', () => {
    const text = ofx(
      ofxStatement('A', transaction({ ...usual, FITID: '1' })) +
        ofxStatement('B', transaction({ ...usual, FITID: '2', TRNAMT: '-2.00' }), 'USD'),
    )
    expect(readText(text, 'B').lines).toMatchObject([{ money: { minor: -200, currency: 'USD' } }])
    expect(() => readText(text)).toThrow(code('INVALID_INPUT'))
    expect(() => readText(text, 'C')).toThrow(code('INVALID_INPUT'))
  })

  test('has amounts without groups, in which either mark is decimal', () => {
    const amounts = ['-1,234', '1.5', '+3', '-.5', '7.', '1.234,56', '=1', '1e3', 'NaN', '']
    const each = amounts.map((TRNAMT, at) =>
      transaction({ ...usual, TRNAMT, FITID: String(at) }, true),
    )
    const { lines, faults } = readText(ofx(ofxStatement('A', each.join(''))))
    expect(lines.map(({ money }) => money.minor)).toEqual([150, 300, -50, 700])
    expect(faults).toEqual([
      { line: 1, code: 'too-fine' },
      ...[6, 7, 8, 9, 10].map((line) => ({ line, code: 'not-an-amount' })),
    ])
  })

  test('keeps apart what an amount was converted from and the account it went to', () => {
    const converted = `${transaction({ ...usual, FITID: '1' }).replace('</STMTTRN>', '')}<ORIGCURRENCY><CURRATE>1.1<CURSYM>USD</ORIGCURRENCY><BANKACCTTO><BANKID>9<ACCTID>9<NAME>x</BANKACCTTO></STMTTRN>`
    const foreign = `${transaction({ ...usual, FITID: '2' }).replace('</STMTTRN>', '')}<CURRENCY><CURRATE>1.1<CURSYM>USD</CURRENCY></STMTTRN>`
    const { lines } = readText(ofx(ofxStatement('A', converted + foreign)))
    expect(lines).toMatchObject([
      { money: { currency: 'EUR' }, payee: '' },
      { money: { currency: 'USD' } },
    ])
  })

  test.each([
    ['is none', 'hello'],
    ['ends in the middle', ofx(ofxStatement('A', transaction(usual))).slice(0, -60)],
    ['is nested too deeply', `<OFX>${'<A>'.repeat(50)}${'</A>'.repeat(50)}</OFX>`],
  ])('that %s is corrupt', (_, text) => {
    expect(() => readText(text)).toThrow(code('CORRUPT_DATA'))
  })

  test('says its encoding, and is refused where it does not hold', () => {
    const head = (line: string) => Buffer.from(`OFXHEADER:100\r\n${line}\r\n\r\n<OFX>`)
    expect(ofxEncoding(head('ENCODING:USASCII\r\nCHARSET:1252'))).toBe('1252')
    expect(ofxEncoding(head('ENCODING:UTF-8\r\nCHARSET:NONE'))).toBe('utf-8')
    expect(ofxEncoding(Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?>'))).toBe(
      'ISO-8859-1',
    )
    expect(decodeText('a', Uint8Array.of(0x63, 0xe9), '1252')).toBe('cé')
    expect(decodeText('a', Buffer.from('\ufeffé', 'utf16le'))).toBe('é')
    for (const declared of ['utf-8', 'x-user-defined', 'utf-7']) {
      expect(() => decodeText('a', Uint8Array.of(0x63, 0xe9), declared)).toThrow(
        code('CORRUPT_DATA'),
      )
    }
    expect(() => decodeText('a', Buffer.from('é', 'utf16le'))).toThrow(code('CORRUPT_DATA'))
    expect(() => decodeText('a', Buffer.from('a\u0000b'))).toThrow(code('CORRUPT_DATA'))
  })
})
