// What the default policy must answer, question by question. The tests ask the compiled policy, OPA
// itself, and policies from which one rule was taken away; then some case here must come out otherwise.

import { budgetCases } from './policy-budget-cases.ts'
import { now, type PolicyCase, row } from './policy-case.ts'

const allowRules = ['egress.declared', 'notify.owner', 'read.owner', 'undo.write', 'write.undoable']
const toHost = { effect: 'egress', audience: { host: 'api' }, egress: ['news', 'api'] } as const

const allowed = [
  row('allow', ['read.owner'], 'a read for the owner', { effect: 'read', hasUndo: false }),
  row('allow', ['write.undoable'], 'a write that can be undone', {}),
  row('allow', ['undo.write'], 'the undo of one', { kind: 'undo', hasUndo: false }),
  row('allow', ['egress.declared'], 'a request to a declared host', { ...toHost, hasUndo: false }),
  row('allow', ['notify.owner'], 'what is sent and only the owner reads', { effect: 'egress' }),
  row('allow', ['write.undoable'], 'a write, when it happens', now),
  row('allow', ['read.owner'], 'a read of what money touches', {
    effect: 'read',
    touches: ['money', 'mail'],
  }),
]

const asked = [
  row('ask', ['ask.irreversible'], 'anything irreversible', { effect: 'irreversible' }),
  row('ask', ['ask.irreversible'], 'what cannot be undone and others see', {
    effect: 'irreversible',
    audience: { arg: '/to' },
    hasUndo: false,
  }),
  row('ask', ['ask.lock'], 'a lock', { touches: ['lock'] }),
  row('ask', ['ask.door'], 'a door', { touches: ['door'] }),
  row('ask', ['ask.alarm'], 'an alarm', { touches: ['alarm'] }),
  row('ask', ['ask.mail'], 'mail', { ...toHost, touches: ['mail'] }),
  row('ask', ['ask.deletion'], 'a deletion', { touches: ['deletion'] }),
  row('ask', ['ask.irreversible', 'ask.mail'], 'mail that cannot be undone', {
    effect: 'irreversible',
    touches: ['mail'],
  }),
  row(
    'allow',
    ['write.undoable'],
    'the door that is not to be asked about',
    { touches: ['door'] },
    {
      settings: { unasked: { door: true } },
    },
  ),
  row('allow', ['undo.write'], 'a door that is closed again', { kind: 'undo', touches: ['door'] }),
  row(
    'ask',
    ['household.ask.desk.put'],
    'an action that the household named',
    {},
    {
      settings: { ask: { 'desk.put': true } },
    },
  ),
  row(
    'ask',
    ['household.ask.noise'],
    'a touch that the household named',
    { touches: ['noise'] },
    {
      settings: { ask: { noise: true } },
    },
  ),
]

const denied = [
  row(
    'allow',
    ['undo.write'],
    'the undo of what the household named',
    { kind: 'undo' },
    {
      settings: { ask: { 'desk.put': true } },
    },
  ),
  row('deny', allowRules, 'a write that cannot be undone', { hasUndo: false }),
  row('deny', allowRules, 'what cannot be undone, even as an undo', {
    effect: 'irreversible',
    kind: 'undo',
  }),
  row('deny', allowRules, 'what everybody sees', { effect: 'egress', audience: 'PUBLIC' }),
  row('deny', allowRules, 'a request, even as an undo', { ...toHost, kind: 'undo' }),
  row('deny', allowRules, 'a request whose host is not declared', { ...toHost, egress: [] }),
  row('deny', allowRules, 'a request to another host', { ...toHost, egress: ['news'] }),
  row('deny', allowRules, 'a host beside one called like everybody', {
    ...toHost,
    egress: ['api', 'PUBLIC'],
  }),
  row('deny', allowRules, 'a host that is called like everybody', {
    effect: 'egress',
    audience: { host: 'PUBLIC' },
    egress: ['PUBLIC'],
  }),
  row('deny', allowRules, 'a request whose host an argument names', {
    ...toHost,
    audience: { arg: '/to' },
  }),
  row('deny', allowRules, 'a write that a host sees', { ...toHost, effect: 'write' }),
  row('deny', allowRules, 'a read that others see', { effect: 'read', audience: 'PUBLIC' }),
  row('deny', allowRules, 'a write that others see', { audience: { arg: '/to' } }),
  row('deny', allowRules, 'a read, as an undo', { effect: 'read', kind: 'undo' }),
  row('deny', allowRules, 'an undo that others see', { kind: 'undo', audience: { host: 'x' } }),
  row('deny', allowRules, 'what is sent to the owner, as an undo', {
    effect: 'egress',
    kind: 'undo',
  }),
  row('deny', allowRules, 'an effect class that nobody knows', { effect: 'nuke' }),
  row('deny', allowRules, 'an unknown class, even as an undo', { effect: 'nuke', kind: 'undo' }),
  row('deny', allowRules, 'a kind that nobody knows', { kind: 'probe' }),
  row('deny', ['deny.money'], 'money', { touches: ['money'] }),
  row('deny', ['deny.money'], 'money that cannot be undone', {
    effect: 'irreversible',
    touches: ['money'],
  }),
  row('deny', ['deny.money'], 'money, even as an undo', { kind: 'undo', touches: ['money'] }),
  row('deny', ['touch.unknown'], 'what no rule knows of', { touches: ['rocket'] }),
  row(
    'deny',
    ['household.deny.desk.put'],
    'an action that the household forbids',
    {},
    {
      settings: { deny: { 'desk.put': true } },
    },
  ),
  row(
    'deny',
    ['household.deny.mail'],
    'a touch that the household forbids',
    {
      effect: 'irreversible',
      touches: ['mail'],
    },
    { settings: { deny: { mail: true } } },
  ),
  row(
    'allow',
    ['undo.write'],
    'the undo of what is forbidden by now',
    { kind: 'undo' },
    {
      settings: { deny: { 'desk.put': true } },
    },
  ),
]

const noise = { ...now, touches: ['noise'] } as const
const { minute: _minute, ...timeless } = noise
const short = { from: 60, to: 120 } as const

const atNight = [
  row('deny', ['quiet.hours'], 'noise at ten in the evening', { ...noise, minute: 1_320 }),
  row('deny', ['quiet.hours'], 'noise at midnight', { ...noise, minute: 0 }),
  row('deny', ['quiet.hours'], 'noise a minute before seven', { ...noise, minute: 419 }),
  row('allow', ['write.undoable'], 'noise at seven', { ...noise, minute: 420 }),
  row('allow', ['write.undoable'], 'noise a minute before ten', { ...noise, minute: 1_319 }),
  row('allow', ['write.undoable'], 'noise at night that is critical', {
    ...noise,
    minute: 0,
    priority: 'CRITICAL',
  }),
  row('allow', ['write.undoable'], 'what makes no noise at night', { ...now, minute: 0 }),
  row('deny', ['quiet.hours'], 'noise at a time that nobody knows', timeless),
  row('deny', ['quiet.hours'], 'noise at a minute that no day has', { ...noise, minute: -1 }),
  row('allow', ['write.undoable'], 'a plan that will make noise', { touches: ['noise'] }),
  row('allow', ['undo.write'], 'noise that is taken back at night', {
    ...noise,
    kind: 'undo',
    minute: 0,
  }),
  row(
    'deny',
    ['quiet.hours'],
    'noise in hours of one day',
    { ...noise, minute: 60 },
    {
      settings: { quiet: short },
    },
  ),
  row(
    'allow',
    ['write.undoable'],
    'noise before hours of one day',
    { ...noise, minute: 59 },
    {
      settings: { quiet: short },
    },
  ),
  row(
    'allow',
    ['write.undoable'],
    'noise after hours of one day',
    { ...noise, minute: 120 },
    {
      settings: { quiet: short },
    },
  ),
  row(
    'deny',
    ['quiet.hours'],
    'an unknown minute, hours of one day',
    { ...noise, minute: 1_440 },
    {
      settings: { quiet: short },
    },
  ),
  row(
    'deny',
    ['quiet.hours'],
    'a minute before any, hours of one day',
    { ...noise, minute: -1 },
    {
      settings: { quiet: short },
    },
  ),
  row(
    'allow',
    ['write.undoable'],
    'noise at night where no hour is quiet',
    {
      ...noise,
      minute: 0,
    },
    { settings: { quiet: false } },
  ),
]

const rates = { agentPerHour: 3, userPerHour: 5 } as const
const used = (agent: number, user: number) => ({ ...now, usage: { agent, user } })
const { usage: _usage, ...uncounted } = now

const often = [
  row('allow', ['write.undoable'], 'the last effect of an hour', used(2, 4), {
    settings: { rates },
  }),
  row('deny', ['rate.agent'], 'one more of an agent', used(3, 4), { settings: { rates } }),
  row('deny', ['rate.user'], 'one more of a user', used(2, 5), { settings: { rates } }),
  row('deny', ['rate.agent', 'rate.user'], 'an effect that nobody counted', uncounted),
  row('deny', ['rate.agent'], 'an effect of an agent that was not counted', used(NaN, 0)),
  row('deny', ['rate.user'], 'an effect of a user who was not counted', used(0, NaN)),
  row(
    'allow',
    ['read.owner'],
    'a read after any number of effects',
    {
      ...used(9, 9),
      effect: 'read',
    },
    { settings: { rates } },
  ),
  row(
    'allow',
    ['undo.write'],
    'an undo after any number of effects',
    {
      ...used(9, 9),
      kind: 'undo',
    },
    { settings: { rates } },
  ),
  row(
    'allow',
    ['write.undoable'],
    'a plan, whatever has happened',
    { usage: { agent: 9, user: 9 } },
    {
      settings: { rates },
    },
  ),
  row(
    'deny',
    ['budget.agent', 'budget.user', 'rate.agent', 'rate.user'],
    'an effect at a moment that nobody knows',
    { moment: 'later' },
  ),
]

export const policyCases: readonly PolicyCase[] = [
  ...allowed,
  ...asked,
  ...denied,
  ...atNight,
  ...often,
  ...budgetCases,
]
