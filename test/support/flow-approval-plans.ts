// Plans about which a flow rule asks a person, over the catalogue of the notary's tests: a mail to somebody
// if a message has a certain id, which is all that the sender's servers may know of it; one for each of the
// messages; and bookings that an agent lists, to be cancelled.

import type { Decide } from '../../plan/policy.ts'

/** The policy allows everything: what asks is the flow. */
export const allowing: Decide = () => ({ verdict: 'allow', rules: ['anything'] })

/** Tells somebody, under a guard over the id of the first message. */
export const mailTo = (address: string, cel: string) => `
version: 1
goal: tell them
steps:
  - { id: inbox, agent: mail, action: list, args: { folder: in } }
  - id: tell
    agent: mail
    action: send
    args: { to: [${address}], subject: s, body: b }
    when: { cel: "${cel}", with: { i: { $from: 'inbox#/first/id' } } }
answer: { from: [inbox] }
`

export const answering = mailTo('bob@x.org', "i == 'yes'")

/** One to oneself for each message with that id. */
export const batching = `
version: 1
goal: tell them of each
steps:
  - { id: inbox, agent: mail, action: list, args: { folder: in } }
  - id: tell
    agent: mail
    action: send
    forEach: { in: { $from: 'inbox#/messages' }, as: one, max: 3 }
    args: { to: [me@home.example], subject: s, body: b }
    when: { cel: "i == 'yes'", with: { i: { $item: /id, as: one } } }
answer: { from: [inbox] }
`

/** Cancels whatever an agent lists. */
export const clearing = `
version: 1
goal: clear them
steps:
  - { id: gather, agent: desk, action: list, args: { day: today } }
  - id: clear
    agent: desk
    action: unbook
    forEach: { in: { $from: 'gather#/items' }, as: item, max: 3 }
    args: { booking: { $item: /title, as: item }, dryRun: false }
answer: { from: [gather] }
`

export const message = (id: string) => ({ id, from: 'x@evil.example', subject: 's', text: 't' })
/** Whichever of two pages comes first decides on a request. */
export const either = `
version: 1
goal: whichever comes first
steps:
  - { id: one, agent: web, action: get, args: { page: x } }
  - { id: two, agent: web, action: get, args: { page: y } }
  - id: tell
    agent: web
    action: get
    join: any
    args: { page: z }
    when:
      cel: "a == 'yes' || b == 'yes'"
      with: { a: { $from: 'one#/title' }, b: { $from: 'two#/title' } }
answer: { from: [one] }
`

/** A mail to oneself for each link of a page. */
export const ofPages = `
version: 1
goal: tell of each
steps:
  - { id: one, agent: web, action: get, args: { page: x } }
  - id: tell
    agent: mail
    action: send
    forEach: { in: { $from: 'one#/links' }, as: link, max: 3 }
    args: { to: [me@home.example], subject: s, body: b }
answer: { from: [one] }
`

export const inbox = (id: string) => ({ first: message(id), messages: [message(id)], count: 1 })
export const toBob = { to: ['bob@x.org'], subject: 's', body: 'b' }
export const toMe = { ...toBob, to: ['me@home.example'] }
