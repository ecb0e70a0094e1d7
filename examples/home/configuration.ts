// What `bulkhead.yaml` of the sample home says, and what it is told later of programs that are on the
// machine by then. Invariant: only lines that stand as the template has them are changed; where a person
// has written anything else, theirs stays. Pure.

/** In the template, where the address of the home's web server belongs. */
const templateOrigin = 'http://127.0.0.1:1'

/** Absolute paths of programs that agents of the home can use, where they are on this machine. */
export interface HomePrograms {
  readonly hledger?: string | undefined
  readonly restic?: string | undefined
}

export function homeConfiguration(
  template: string,
  { timeZone, web }: { readonly timeZone: string; readonly web: string },
): string {
  return template
    .replace(/^timezone: .*$/m, `timezone: ${timeZone}`)
    .replaceAll(templateOrigin, web)
}

/** The address that an earlier generation wrote; undefined for a new home or one of other servers. */
export function webPortIn(text: string): number | undefined {
  const [, port] = /^ +forecast: http:\/\/127\.0\.0\.1:(\d+)$/m.exec(text) ?? []
  return port === undefined ? undefined : Number(port)
}

/** The same with the agents set up that these programs make possible. */
export function withPrograms(text: string, { hledger, restic }: HomePrograms): string {
  const money =
    hledger === undefined
      ? text
      : text.replace(
          '\n    # hledger: /usr/bin/hledger\n',
          () => `\n    hledger: ${quoted(hledger)}\n`,
        )
  if (restic === undefined) return money
  return money.replace(backupBlock, (block) =>
    block
      .replaceAll(/^ {2}# {3}(?! )/gm, '    ')
      .replace('  # backup:', '  backup:')
      .replace(': /usr/bin/restic', () => `: ${quoted(restic)}`)
      .replace('    borg: ', '    # borg: '),
  )
}

/** From its name to the last of its settings. */
const backupBlock = /^ {2}# backup:\n(?: {2}# {3}.*\n)+? {2}# {3}borg: .*$/m

/** JSON's texts are YAML's. */
function quoted(path: string): string {
  return /^[A-Za-z0-9/._-]+$/.test(path) ? path : JSON.stringify(path)
}
