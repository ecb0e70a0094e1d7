// A plan whose one effect goes to the person's own address, and what it sends.

export const toMyself = `
version: 1
goal: mail me what there is
steps:
  - { id: gather, agent: desk, action: list, args: { day: today } }
  - id: send
    agent: mail
    action: send
    args: { to: [me@home.example], subject: today, body: { $from: 'gather#/first' } }
answer: { from: [gather] }
`
export const sent = { to: ['me@home.example'], subject: 'today', body: '' }
