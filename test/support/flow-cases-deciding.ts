// Plans in which somebody besides the user says what an effect does: R1, R5 and R9.

import {
  asked,
  bob,
  each,
  type FlowCase,
  from,
  get,
  inbox,
  item,
  keep,
  look,
  mark,
  mine,
  page,
  passes,
  refused,
  send,
  text,
} from './flow-case.ts'

export const deciding: readonly FlowCase[] = [
  refused(
    'FLOW_R1',
    'an address from mail',
    [inbox, send('s', { to: [from('inbox#/first/from')], subject: 's', body: 'hi' })],
    { source: '/steps/0', own: 'bob@x.org' },
  ),
  refused(
    'FLOW_R1',
    'an address that a text is made of',
    [
      inbox,
      send('s', {
        to: [text('{{n}}@x.org', { n: from('inbox#/first/from') })],
        subject: 's',
        body: '',
      }),
    ],
    { source: '/steps/0', own: 'bob@x.org' },
  ),
  refused(
    'FLOW_R1',
    'a public word that decides',
    [get('a', page), get('b', { page: 'x', lang: from('a#/title') })],
    { source: '/steps/0', own: 'de' },
  ),
  refused(
    'FLOW_R1',
    'the id of another agent',
    [get('a', page), mark('b', { entry: from('a#/title') })],
    { source: '/steps/0', own: 'e1' },
  ),
  refused(
    'FLOW_R1',
    'an own id that another agent had a hand in',
    [
      get('a', page),
      look('b', { either: from('a#/title') }),
      mark('c', { entry: from('b#/title') }),
    ],
    { source: '/steps/0', own: 'e1' },
  ),
  refused(
    'FLOW_R1',
    'addresses from a list that an agent gave',
    [
      inbox,
      send('s', { to: [item('/from')], subject: 's', body: 'hi' }, each(from('inbox#/messages'))),
    ],
    { source: '/steps/0', own: 'bob@x.org', list: [1] },
  ),
  refused(
    'FLOW_R5',
    'a path that an answer decides on',
    [get('a', page), get('b', { page: from('a#/title') })],
    { source: '/steps/0', own: 'y' },
  ),
  asked('FLOW_R9', 'a recipient that a proposal made up', [send('s', { ...bob, body: 'hi' })], {
    author: 'proposal',
  }),
  asked(
    'FLOW_R9',
    'a recipient that a proposal puts together',
    [send('s', { to: [text('{{n}}@x.org', { n: 'thief' })], subject: 's', body: 'hi' })],
    { author: 'proposal', names: mine, own: 'bob@x.org' },
  ),
  asked(
    'FLOW_R9',
    'recipients of whom a proposal makes up a list',
    [send('s', { to: [item('')], subject: 's', body: 'hi' }, each(['bob@x.org', 'thief@x.org']))],
    { author: 'proposal', names: mine, own: 'bob@x.org' },
  ),
  asked(
    'FLOW_R9',
    'pages that a proposal makes up inside of something else',
    [get('a', { page: item('/deep') }, each([{ deep: 'elsewhere' }]))],
    { author: 'proposal', names: mine, own: '2026-11-21' },
  ),
  asked(
    'FLOW_R9',
    'a place that a proposal makes up, with all that is in it',
    [keep('a', { text: 'x', where: item('') }, each([{ box: 'elsewhere' }]))],
    { author: 'proposal', names: mine, own: { box: '2026-11-21' } },
  ),
  asked('FLOW_R9', 'an id that a proposal makes up', [mark('a', { entry: 'e1' })], {
    author: 'proposal',
    names: mine,
    own: '2026-11-21',
  }),
  ...[
    ['of which the user said more', 'bob@x.org', 'mail bob@x.org.example'],
    ['that ends what the user said', 'bob@x.org', 'mail not-bob@x.org'],
    ['spelled with another form of a letter', 'rene\u0301@x.org', 'mail ren\u00e9@x.org'],
    ['with a space that is none', '\u00a0bob@x.org', 'mail bob@x.org'],
    ['with something that nobody sees', 'bob@x\u200b.org', 'mail bob@x\u200b.org'],
    ['with a letter that looks like the one', 'b\u043eb@x.org', 'mail bob@x.org'],
  ].map(([what = '', address = '', words = '']) =>
    asked(
      'FLOW_R9',
      `a recipient ${what}`,
      [send('s', { to: [address], subject: 's', body: 'hi' })],
      { author: 'proposal', words, own: 'bob@x.org' },
    ),
  ),
  asked('FLOW_R9', 'a word that is in every sentence', [mark('a', { entry: 'a' })], {
    author: 'proposal',
    words: 'mark a thing',
    own: 'thing',
  }),
  passes(
    'a recipient of a proposal whom the user has named',
    [send('s', { ...bob, body: 'what a planner writes' })],
    { author: 'proposal', words: 'Please write to bob@x.org.' },
  ),
  passes(
    'an id of a proposal that its agent gave',
    [look('a', {}), mark('b', { entry: from('a#/title') })],
    { author: 'proposal' },
  ),
  passes(
    'recipients of a proposal all of whom the user has listed',
    [send('s', { to: [item('')], subject: 's', body: 'hi' }, each(['bob@x.org']))],
    { author: 'proposal', names: mine },
  ),
  passes(
    'a recipient of a proposal whom the user has listed',
    [send('s', { ...bob, body: 'hi' })],
    {
      author: 'proposal',
      names: mine,
    },
  ),
  passes('a page of a proposal that is a date', [get('a', { page: '2026-11-21' })], {
    author: 'proposal',
  }),
  passes('an id that goes back to its agent', [
    look('a', {}),
    mark('b', { entry: from('a#/title') }),
  ]),
]
