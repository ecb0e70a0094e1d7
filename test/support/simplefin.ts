// A SimpleFIN server of one account, on loopback: GET /accounts of simplefin.org's protocol, and nothing
// without a credential.

import { createServer, type IncomingMessage, type Server } from 'node:http'

/** @param asked gets every request */
export async function startSimpleFin(asked: IncomingMessage[] = []): Promise<Server> {
  const transactions = [
    { id: 'T1', posted: 1_793_700_000, amount: '-12.34', description: 'Grocer' },
    { id: 'T2', posted: 0, amount: '-1.00', description: 'Kiosk', pending: true },
  ]
  const account = { id: 'ACT-1', name: 'Giro', currency: 'EUR', balance: '1.00', transactions }
  const server = createServer((request, response) => {
    asked.push(request)
    const isKnown = request.headers.authorization !== undefined
    response.writeHead(isKnown ? 200 : 403, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ errors: [], accounts: [account] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
