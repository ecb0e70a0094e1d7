// Text from a feed, which may be HTML, as plain text for people and models: no tags, no character
// that hides, reorders or commands, one line, a bounded length. Linear in what it reads, and it reads
// a bounded beginning only. Pure.

/** Of HTML for each character of text: more markup than that hides nothing worth reading. */
const markupFactor = 20

/** @param maxCharacters cut there, the last one an ellipsis */
export function plainText(html: string, maxCharacters: number): string {
  const start = html.slice(0, maxCharacters * markupFactor)
  const visible = decodeEntities(withoutBlocks(start).replace(/<[^<>]*(?:>|$)/g, ' '))
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  const characters = [...visible]
  return characters.length > maxCharacters
    ? `${characters.slice(0, maxCharacters - 1).join('')}…`
    : visible
}

/** What is between these tags is not text. */
function withoutBlocks(html: string): string {
  return ['script', 'style'].reduce((text, tag) => {
    const parts: string[] = []
    const lower = toLowerAscii(text)
    let from = 0
    for (;;) {
      const begin = lower.indexOf(`<${tag}`, from)
      if (begin === -1) return parts.concat(text.slice(from)).join(' ')
      parts.push(text.slice(from, begin))
      const end = lower.indexOf(`</${tag}`, begin)
      if (end === -1) return parts.join(' ')
      from = end
    }
  }, html)
}

/** `toLowerCase` may change the length of other letters, and with it every offset. */
function toLowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

const named: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
  ['ndash', '–'],
  ['mdash', '—'],
  ['hellip', '…'],
  ['lsquo', '‘'],
  ['rsquo', '’'],
  ['ldquo', '“'],
  ['rdquo', '”'],
])

/** Once, so that what an author wrote as text stays text. Unknown names stay as they are. */
function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,6}));/g,
    (whole, ...found) => {
      const [decimal, hexadecimal, name] = found as (string | undefined)[]
      if (name !== undefined) return named.get(name) ?? whole
      const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal)
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    },
  )
}
