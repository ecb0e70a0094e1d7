// What an effect's arguments spend, and what a manifest may say of it.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { amountsOf, mostAmount } from '../../plan/amounts.ts'
import { defineManifest, ManifestError } from '../../plan/manifest.ts'
import { plainAction, plainAgent } from '../support/manifest-defaults.ts'

const roles = {
  '/items/*/amount': 'amount',
  '/items/*/currency': 'control',
  '/tip': 'amount',
  '/times': 'amount',
  '/currency': 'control',
} as const
const currencies = { '/items/*/amount': '/items/*/currency', '/tip': '/currency' }
const sums = (args: unknown) =>
  Object.fromEntries(
    amountsOf('till.pay', { roles, currencies }, args).map(({ unit, currency, amount }) => [
      unit,
      [currency, amount],
    ]),
  )

describe('the amounts of an effect', () => {
  it('are summed by the currency beside each, and by the action where there is none', () => {
    const items = [
      { amount: 100, currency: 'EUR' },
      { amount: 250, currency: 'CHF' },
      { amount: 5, currency: 'EUR' },
    ]
    expect(sums({ items, tip: 20, currency: 'EUR', times: 3 })).toEqual({
      EUR: [true, 125],
      CHF: [true, 250],
      'till.pay': [false, 3],
    })
  })

  it('are one sum for all actions that count in one unit', () => {
    const counted = (name: string) =>
      amountsOf(
        name,
        { roles: { '/cost': 'amount' }, units: { '/cost': 'till.stamps' } },
        { cost: 7 },
      )
    const stamps = { unit: 'till.stamps', currency: false, amount: 7 }
    expect([counted('till.pay'), counted('till.send')]).toEqual([[stamps], [stamps]])
  })

  it('are none where an argument is left out', () => {
    expect(sums({ items: [], tip: null })).toEqual({})
    expect(amountsOf('till.look', { roles: { '/day': 'control' } }, { day: 'today' })).toEqual([])
  })

  it('cannot be made less, or unread, by how they are written', () => {
    expect(sums({ items: [], tip: -20, currency: 'eur' })).toEqual({ EUR: [true, 20] })
    expect(sums({ items: [], tip: 20, currency: 'Euro' })).toEqual({ '?': [true, 20] })
    expect(sums({ items: [], tip: 20 })).toEqual({ '?': [true, 20] })
    expect(sums({ items: [], tip: 'lots', currency: 'EUR' })).toEqual({ EUR: [true, mostAmount] })
    expect(sums({ items: [], times: 0.2 })).toEqual({ 'till.pay': [false, 1] })
    const [large, small] = [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]
    const items = [large, small].map((amount) => ({ amount, currency: 'EUR' }))
    expect(sums({ items })).toEqual({ EUR: [true, mostAmount] })
  })
})

describe('a manifest with units', () => {
  const define =
    (units: Readonly<Record<string, string>>, more: object = {}) =>
    () =>
      defineManifest({
        ...plainAgent,
        name: 'till',
        actions: {
          look: {
            ...plainAction,
            effect: 'read',
            output: z.strictObject({}),
            input: z.strictObject({ cost: z.number().int(), text: z.string() }),
            roles: { '/cost': 'amount', '/text': 'control' },
            units,
            ...more,
          },
        },
      })

  it('counts amounts in a name of its own', () => {
    expect(define({ '/cost': 'till.stamps' })).not.toThrow()
  })

  it.each<[string, Readonly<Record<string, string>>, RegExp, object?]>([
    ['for what is no amount', { '/text': 'till.stamps' }, /no amount/],
    ["of another agent's", { '/cost': 'post.stamps' }, /no unit of the agent's own/],
    ['that is a currency', { '/cost': 'EUR' }, /no unit of the agent's own/],
    ['that is an action', { '/cost': 'till.look' }, /which is an action/],
    [
      'beside a currency',
      { '/cost': 'till.stamps' },
      /a currency and a unit/,
      { currencies: { '/cost': '/text' } },
    ],
  ])('is refused with one %s', (_what, units, message, more) => {
    expect(define(units, more)).toThrow(message)
  })
})

describe('a manifest that says where a result says what was spent', () => {
  const define =
    (spent: Readonly<Record<string, string>>, more: object = {}) =>
    () =>
      defineManifest({
        ...plainAgent,
        name: 'meter',
        actions: {
          ask: {
            ...plainAction,
            effect: 'egress',
            input: z.strictObject({
              ...{ most: z.int(), part: z.number(), text: z.string() },
              ...{ rows: z.array(z.int()), other: z.int() },
            }),
            output: z.strictObject({
              ...{ cost: z.int(), text: z.string(), costs: z.array(z.int()) },
              usage: z.strictObject({ cost: z.int().min(0), share: z.number() }),
            }),
            roles: {
              ...{ '/most': 'amount', '/part': 'amount', '/rows/*': 'amount' },
              ...{ '/other': 'amount', '/text': 'control' },
            },
            units: { '/most': 'meter.cents', '/part': 'meter.parts' },
            spent,
            ...more,
          },
        },
      })

  it.each([{ '/most': '/cost' }, { '/most': '/usage/cost' }])('holds for %j', (spent) => {
    expect(define(spent)).not.toThrow()
  })

  it.each<[string, Readonly<Record<string, string>>, RegExp, object?]>([
    ['what is no amount', { '/text': '/cost' }, /no amount/],
    ['an argument that is not there', { '/sum': '/cost' }, /no amount/],
    ['an amount of many', { '/rows/*': '/cost' }, /of many/],
    ['many results', { '/most': '/costs/*' }, /of many/],
    ['what is no pointer', { '/most': 'cost' }, /of many/],
    ['a text', { '/most': '/text' }, /no number/],
    ['a fraction', { '/most': '/usage/share' }, /no number/],
    ['what no result has', { '/most': '/usage/sum' }, /no number/],
    ['what is reserved in fractions', { '/part': '/cost' }, /in fractions/],
    ['an amount that shares its unit', { '/other': '/cost' }, /not all of its unit/],
    [
      'a currency',
      { '/most': '/cost' },
      /in any currency/,
      { units: {}, currencies: { '/most': '/text' } },
    ],
    ['a read', { '/most': '/cost' }, /of which nothing is counted/, { effect: 'read' }],
  ])('is refused for %s', (_what, spent, message, more) => {
    expect(define(spent, more)).toThrow(ManifestError)
    expect(define(spent, more)).toThrow(message)
  })
})

describe('a manifest with currencies', () => {
  const agentWith = (change: object) =>
    defineManifest({
      ...plainAgent,
      name: 'till',
      actions: {
        pay: {
          ...plainAction,
          effect: 'irreversible',
          input: z.strictObject({
            amount: z.int(),
            part: z.number(),
            currency: z.string(),
            rows: z.array(z.strictObject({ amount: z.int(), currency: z.string() })),
            others: z.array(z.strictObject({ currency: z.string() })),
            memo: z.string(),
            dryRun: z.boolean(),
          }),
          output: z.strictObject({ paid: z.boolean() }),
          roles: {
            ...{ '/amount': 'amount', '/part': 'amount', '/currency': 'control' },
            ...{ '/rows/*/amount': 'amount', '/rows/*/currency': 'control' },
            ...{ '/others/*/currency': 'control', '/memo': 'content', '/dryRun': 'control' },
          },
          ...change,
        },
      },
    })

  it.each([
    [{ '/amount': '/currency', '/rows/*/amount': '/rows/*/currency' }],
    [{ '/rows/*/amount': '/currency' }],
  ])('holds for %j', (currencies) => {
    expect(() => agentWith({ currencies })).not.toThrow()
  })

  it.each([
    ['what is no amount', { '/memo': '/currency' }, 'no amount'],
    ['an argument that is not there', { '/sum': '/currency' }, 'no amount'],
    ['a currency that decides nothing', { '/amount': '/memo' }, 'no argument that decides'],
    ['a currency that is not there', { '/amount': '/money' }, 'no argument that decides'],
    ['many currencies of one amount', { '/amount': '/rows/*/currency' }, 'of many'],
    ['currencies of another list', { '/rows/*/amount': '/others/*/currency' }, 'of many'],
    ['fractions', { '/part': '/currency' }, 'fractions'],
    ['a currency that is no text', { '/amount': '/dryRun' }, 'no text'],
  ])('is refused for %s', (_name, currencies, message) => {
    expect(() => agentWith({ currencies })).toThrow(ManifestError)
    expect(() => agentWith({ currencies })).toThrow(message)
  })
})
