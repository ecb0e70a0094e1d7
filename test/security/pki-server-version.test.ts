import { describe, expect, it } from 'vitest'
import {
  isServerVersionFit,
  minimumServerVersion,
  parseServerVersion,
} from '../../security/pki/server-version.ts'

describe('isServerVersionFit', () => {
  it.each(['2.14.3', 'v2.14.3', '2.14.5', '2.14.10', '2.12.12', '2.15.0', '3.0.0', '2.14.4-RC.1'])(
    'accepts %s',
    (version) => expect(isServerVersionFit(version)).toBe(true),
  )

  it.each(
    ['2.14.2', '2.14.3-RC.1', '2.12.11', '2.13.9', '2.11.99', '2.9.10', '1.99.99', '0.0.0'].concat([
      '',
      'latest',
      '2.14',
      '2.14.x',
      ' 2.14.5',
      '2.14.5\n',
      '2.14.5 ',
      'x2.14.5',
      '99999.0.0',
    ]),
  )('refuses %j', (version) => expect(isServerVersionFit(version)).toBe(false))

  it('accepts the floor that it names', () => {
    expect(isServerVersionFit(minimumServerVersion)).toBe(true)
  })
})

describe('parseServerVersion', () => {
  it('reads what the server prints', () => {
    expect(parseServerVersion('nats-server: v2.14.5\n')).toBe('v2.14.5')
  })

  it('knows no version in anything else', () => {
    expect(parseServerVersion('temporal version 1.8.2')).toBeUndefined()
  })
})
