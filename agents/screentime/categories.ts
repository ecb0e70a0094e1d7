// What kind of thing an app or a site is. The person's own list, the file `categories.yaml` of the
// folder, comes before the short one here: `Work: [code, example.org]`, a name with a dot being a site
// with all below it. The first that fits counts; the rest is `Other`.

import { parse } from 'yaml'
import { z } from 'zod'
import { readStored } from '../data-folder.ts'
import { corrupt } from './failures.ts'
import { plain } from './plain-text.ts'
import type { Span } from './spans.ts'

export const otherCategory = 'Other'
const fileName = 'categories.yaml'
const maxFileBytes = 64 * 1024

const fileShape = z.record(
  z.string().min(1).max(60),
  z.array(z.string().min(1).max(100)).max(1_000),
)

/** Names as watchers on Linux, macOS and Windows give them, and sites that most people know. */
const common: Readonly<Record<string, readonly string[]>> = {
  Work: [
    ...['code', 'visual studio code', 'xcode', 'emacs', 'vim', 'neovim', 'terminal', 'iterm2'],
    ...['gnome-terminal', 'kitty', 'alacritty', 'konsole', 'libreoffice', 'microsoft word'],
    ...['microsoft excel', 'excel', 'winword', 'powerpoint', 'figma', 'docs.google.com'],
    ...[
      'github.com',
      'gitlab.com',
      'stackoverflow.com',
      'com.microsoft.vscode',
      'com.apple.dt.xcode',
    ],
    ...['com.apple.terminal'],
  ],
  Communication: [
    ...['thunderbird', 'mail', 'outlook', 'slack', 'microsoft teams', 'teams', 'zoom', 'signal'],
    ...['telegram', 'whatsapp', 'messages', 'discord', 'element', 'mail.google.com'],
    ...['outlook.live.com', 'com.apple.mail', 'com.apple.mobilesms', 'com.tinyspeck.slackmacgap'],
  ],
  Social: [
    ...['facebook.com', 'instagram.com', 'x.com', 'twitter.com', 'reddit.com', 'tiktok.com'],
    ...['mastodon.social', 'bsky.app', 'linkedin.com', 'threads.net', 'pinterest.com'],
  ],
  Video: [
    ...['youtube.com', 'netflix.com', 'twitch.tv', 'disneyplus.com', 'primevideo.com', 'vimeo.com'],
    ...['vlc', 'mpv', 'tv', 'com.apple.tv', 'org.videolan.vlc'],
  ],
  Games: ['steam', 'minecraft', 'store.steampowered.com', 'chess.com', 'lichess.org', 'roblox'],
  News: ['orf.at', 'bbc.com', 'bbc.co.uk', 'nytimes.com', 'theguardian.com', 'derstandard.at'],
}

export type Categorise = (span: Pick<Span, 'app' | 'domain'>) => string

/** @throws ActionFailure CORRUPT_DATA when the person's file is no list of names by category */
export function readCategories(folder: string): Categorise {
  const bytes = readStored(folder, fileName, maxFileBytes)?.bytes
  const own = bytes === undefined ? {} : parseFile(bytes)
  const categoryOf = new Map<string, string>()
  for (const [category, names] of [...Object.entries(own), ...Object.entries(common)]) {
    const label = plain(category, 60)
    for (const name of names) {
      const key = keyOf(name)
      if (!categoryOf.has(key)) categoryOf.set(key, label)
    }
  }
  return ({ app, domain }) => {
    for (const key of [...suffixesOf(domain), keyOf(app)]) {
      const category = categoryOf.get(key)
      if (category !== undefined) return category
    }
    return otherCategory
  }
}

function parseFile(bytes: Buffer): Readonly<Record<string, readonly string[]>> {
  let value: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    value = parse(text, { version: '1.2', schema: 'core', uniqueKeys: true, maxAliasCount: 0 })
  } catch (error) {
    throw corrupt(`${fileName} is not YAML`, error)
  }
  const parsed = fileShape.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  throw corrupt(`${fileName} is no list of names by category`)
}

/** Windows adds `.exe` to names that are otherwise the same. */
export function keyOf(name: string): string {
  return name
    .normalize('NFC')
    .trim()
    .toLowerCase()
    .replace(/\.exe$/, '')
}

/** `a.b.example.org`, `b.example.org`, `example.org`, `org`. */
export function suffixesOf(domain: string | null): readonly string[] {
  if (domain === null) return []
  const labels = domain.split('.')
  return labels.map((_, index) => labels.slice(index).join('.'))
}
