// How many decimals a currency has, and which of them a commodity of a journal means. The exponents are
// those of ISO 4217, list one, as SIX publishes it: Intl is not asked for them, because its data follow
// custom, and say 0 for the Iraqi dinar, which has 3. Pure.

/** Those that do not have two; units of account, which have four, are no money that one is paid in. */
const exponents: ReadonlyMap<string, number> = new Map([
  ...['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG'].map(withExponent(0)),
  ...['RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'].map(withExponent(0)),
  ...['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map(withExponent(3)),
])

function withExponent(exponent: number): (code: string) => readonly [string, number] {
  return (code) => [code, exponent]
}

const codes: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))
/** Metals, funds and tests are in the same list, and are no money that an account of a person has. */
const noMoney = /^X(?:AG|AU|BA|BB|BC|BD|DR|PD|PT|SU|TS|UA|XX)$/

/** A code of ISO 4217, three capitals. */
export type Currency = string

export function isCurrency(code: string): code is Currency {
  return codes.has(code) && !noMoney.test(code)
}

/** Decimals of its minor unit: 2 of EUR, 0 of JPY, 3 of KWD. */
export function exponentOf(currency: Currency): number {
  return exponents.get(currency) ?? 2
}

/**
 * Signs that journals use for one currency. `$` is read as the one of the United States, which is what it
 * means to hledger's own examples; who keeps another dollar writes its code. `¥` has two owners with
 * different decimals, so it is nobody's.
 */
const signs: ReadonlyMap<string, Currency> = new Map([
  ['€', 'EUR'],
  ['$', 'USD'],
  ['£', 'GBP'],
  ['₹', 'INR'],
  ['₩', 'KRW'],
  ['₪', 'ILS'],
])

/** The currency that a commodity is; undefined for shares, litres and hours. */
export function currencyOf(commodity: string): Currency | undefined {
  return isCurrency(commodity) ? commodity : signs.get(commodity)
}
