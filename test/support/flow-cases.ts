// Plans that the flow rules refuse, each for one reason, and some that they let pass. The guard table takes
// the checks away one by one.

import {
  asked,
  bob,
  each,
  type FlowCase,
  fetch,
  from,
  get,
  glance,
  item,
  keep,
  look,
  mark,
  mine,
  page,
  passes,
  recall,
  refused,
  send,
  step,
  text,
  when,
  write,
} from './flow-case.ts'
import { deciding } from './flow-cases-deciding.ts'

const showing: readonly FlowCase[] = [
  refused(
    'FLOW_R2',
    'the owner’s own text, shown to a host',
    [look('a', {}), get('b', { page: 'x', about: from('a#/title') })],
    { source: '/steps/0', own: 'weather' },
  ),
  refused(
    'FLOW_R2',
    'the owner’s own text, by way of an agent whose results are public',
    [
      look('a', {}),
      recall('b', { about: from('a#/title') }),
      get('c', { page: 'x', about: text('{{t}}', { t: from('b#/title') }) }),
    ],
    { source: '/steps/0', own: 'weather' },
  ),
  refused(
    'FLOW_R2',
    'the owner’s own text in a mail to somebody',
    [look('a', {}), send('s', { ...bob, body: from('a#/title') })],
    { source: '/steps/0', names: { people: {}, places: {} } },
  ),
  refused(
    'FLOW_R2',
    'the owner’s own text in a mail to an address that only a text will spell out',
    [
      look('a', {}),
      send('s', {
        to: [text('me@{{d}}', { d: 'home.example' })],
        subject: 's',
        body: from('a#/title'),
      }),
    ],
    { source: '/steps/0', names: mine, own: 'hi' },
  ),
  refused(
    'FLOW_R2',
    'the owner’s own text in an answer that anybody may get',
    [look('a', {}), step('mail', 'reply')('r', { message: 'm1', body: from('a#/title') })],
    { source: '/steps/0', own: 'hi' },
  ),
  refused(
    'FLOW_R2',
    'the owner’s own text to whomever a written list names',
    [
      look('a', {}),
      send(
        's',
        { to: [item('')], subject: 's', body: from('a#/title') },
        each(['me@home.example', 'bob@x.org']),
      ),
    ],
    { source: '/steps/0', names: mine },
  ),
  refused(
    'FLOW_R2',
    'whether a step failed, which its other results may tell of',
    [
      recall('a', {}, { onError: 'continue' }),
      get('b', { page: 'x', about: text('{{t}}', { t: from('a#/title') }) }),
    ],
    { source: '/steps/0', own: 'weather' },
  ),
  refused(
    'FLOW_R2',
    'a note that was kept and read back, whoever wrote it',
    [
      get('a', page),
      keep('b', { text: from('a#/title') }),
      fetch('c', {}, { needs: ['b'] }),
      get('d', { page: 'x', about: from('c#/text') }),
    ],
    { source: '/steps/2', own: 'weather' },
  ),
  refused(
    'FLOW_R1',
    'an address that was kept and read back',
    [
      keep('b', { text: 'bob@x.org' }),
      fetch('c', {}, { needs: ['b'] }),
      send('s', { to: [from('c#/text')], subject: 's', body: '' }),
    ],
    { source: '/steps/1', own: 'bob@x.org' },
  ),
  passes(
    'the owner’s own text in a mail to an own address',
    [look('a', {}), send('s', { to: ['me@HOME.example'], subject: 's', body: from('a#/title') })],
    { names: mine },
  ),
  passes('a public text, shown to a host', [
    get('a', page),
    get('b', { page: 'x', about: from('a#/title') }),
  ]),
]

const happening: readonly FlowCase[] = [
  asked(
    'FLOW_R3',
    'a request that an answer decides on',
    [get('a', page), get('b', page, when('a#/title'))],
    { source: '/steps/0' },
  ),
  asked(
    'FLOW_R3',
    'a request that waits for whichever comes first',
    [get('a', page), get('b', page), get('c', page, { needs: ['a', 'b'], join: 'any' })],
    { source: '/steps/0' },
  ),
  asked(
    'FLOW_R3',
    'requests of which an answer decides how many',
    [get('a', page), get('b', page, each(from('a#/links')))],
    { source: '/steps/0', list: ['x'] },
  ),
  refused(
    'FLOW_R4',
    'a request that tells a host what a guard read',
    [look('a', {}), get('b', page, when('a#/title'))],
    { source: '/steps/0' },
  ),
  refused(
    'FLOW_R4',
    'a look at what others see, under a guard over the owner’s own text',
    [look('a', {}), glance('b', { about: 'x' }, when('a#/title'))],
    { source: '/steps/0' },
  ),
  refused(
    'FLOW_R4',
    'looks at what others see, as many as the owner has things',
    [look('a', {}), glance('b', { about: 'x' }, each(from('a#/items')))],
    { source: '/steps/0', list: [{ name: 'x' }] },
  ),
  refused(
    'FLOW_R4',
    'requests whose number tells a host how long a list is',
    [look('a', {}), get('b', page, each(from('a#/items')))],
    { source: '/steps/0', list: [{ name: 'x' }] },
  ),
  refused(
    'FLOW_R2',
    'what came of a public step that a guard let happen or not',
    [
      look('a', {}),
      recall('b', {}, when('a#/title')),
      get('c', { page: 'x', about: text('{{t}}', { t: from('b#/title') }) }),
    ],
    { source: '/steps/0', own: 'weather' },
  ),
  asked(
    'FLOW_R6',
    'writes to whatever a list names',
    [look('a', {}), mark('b', { entry: item('/name') }, each(from('a#/items')))],
    { source: '/steps/0', list: [{ name: 'e1' }] },
  ),
  asked(
    'FLOW_R6',
    'a mail to an own address for each of a list',
    [
      look('a', {}),
      send(
        's',
        { to: ['me@home.example'], subject: 's', body: item('/name') },
        each(from('a#/items')),
      ),
    ],
    { source: '/steps/0', names: mine, list: [{ name: 'x' }] },
  ),
  passes('a note to the owner under a guard over an answer', [
    get('a', page),
    write('b', { text: from('a#/title') }, when('a#/title')),
  ]),
  asked(
    'FLOW_R3',
    'a note of a proposal under a guard over an answer',
    [get('a', { page: '2026-11-21' }), write('b', { text: 'x' }, when('a#/title'))],
    { source: '/steps/0', author: 'proposal' },
  ),
]

const secrets: readonly FlowCase[] = [
  refused('FLOW_R11', 'a reference to a secret', [look('a', { either: 'vault://mail/password' })], {
    own: 'x',
  }),
  refused(
    'FLOW_R11',
    'a key in a text',
    [look('a', { either: text('ghp_0123456789abcdefABCD {{n}}', { n: 'x' }) })],
    { own: '{{n}}' },
  ),
]

export const flowCases = [...deciding, ...showing, ...happening, ...secrets]
