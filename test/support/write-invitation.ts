// An invitation in a calendar of its own, and on the server: what a person answers to.

/** An invitation that lies there already. */
export const party = {
  uid: 'party@example.org',
  text: [
    ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//test', 'BEGIN:VEVENT'],
    ...['UID:party@example.org', 'DTSTAMP:20261001T000000Z', 'DTSTART:20310604T190000Z'],
    ...['DURATION:PT3H', 'SUMMARY:Party', 'ORGANIZER:mailto:bob@example.org'],
    ...[
      'ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:anna@example.org',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ],
  ].join('\r\n'),
}
/** Where they lie. */
export const partyCalendar = 'parties'
