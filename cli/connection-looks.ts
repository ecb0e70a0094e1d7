// What `agents connect` asks an agent to find out whether its settings work, each an ordinary action: it
// goes the ordinary road, is authorised and recorded, and no secret comes near the command. Reads only.
// A test holds the list to the catalogue.

export interface ConnectionLook {
  readonly action: string
  readonly args: Readonly<Record<string, unknown>>
  /** Of the answer, over the step `asked`. */
  readonly template: string
}

const collections = {
  action: 'collections',
  args: {},
  template:
    'on the server: {{#asked.collections}}"{{name}}" {{/asked.collections}}{{^asked.collections}}none{{/asked.collections}}',
} as const satisfies ConnectionLook

/** By agent, in the order in which they are asked; what asks a server or program that is not set is left out. */
export const connectionLooks: Readonly<Record<string, readonly ConnectionLook[]>> = {
  calendar: [
    collections,
    {
      action: 'list',
      args: { day: 'today' },
      template: 'today there are {{asked.count}} events, in the zone {{asked.timeZone}}',
    },
  ],
  reminders: [
    collections,
    {
      action: 'list',
      args: {},
      template: 'there are {{asked.count}} reminders, {{asked.overdue}} of them overdue',
    },
  ],
  notes: [
    {
      action: 'list',
      args: {},
      template: 'of the last seven days there are {{asked.count}} notes',
    },
  ],
  feeds: [
    {
      action: 'list',
      args: {},
      template:
        'subscribed: {{#asked.feeds}}"{{title}}" {{/asked.feeds}}{{^asked.feeds}}nothing{{/asked.feeds}}',
    },
  ],
  weather: [
    {
      action: 'now',
      // Of no person: the observatory of Greenwich.
      args: { place: { lat: 51.48, lon: 0 } },
      template: 'at Greenwich it is {{asked.tempC}} degrees now',
    },
  ],
  screentime: [
    {
      action: 'top',
      args: { from: 'today' },
      template: 'ActivityWatch was read, in the zone {{asked.timeZone}}',
    },
  ],
  health: [
    {
      action: 'summary',
      args: { date: 'today' },
      template: 'health data was read, in the zone {{asked.timeZone}}',
    },
  ],
  finance: [{ action: 'balances', args: {}, template: 'the journal has {{asked.count}} balances' }],
  backup: [
    {
      action: 'status',
      args: {},
      template:
        '{{#asked.repositories}}{{repository}} ({{program}}): {{reason}}  {{/asked.repositories}}',
    },
  ],
}
