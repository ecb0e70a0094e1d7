// A gateway's home for all tests of a file, with a plain and a secure server outside; what these saw
// and what was recorded is forgotten before each test.

import { afterAll, beforeAll, beforeEach } from 'vitest'
import {
  createAsk,
  type GatewayHome,
  type Outside,
  openGatewayHome,
  openOutside,
} from './gateway.ts'

export interface GatewayBench {
  readonly home: GatewayHome
  readonly plain: Outside
  readonly secure: Outside
  readonly ask: ReturnType<typeof createAsk>
  lastEvent(): GatewayHome['events'][number]['summary'] | undefined
}

/** Registers what starts and ends them: called once, at the top of a test file. */
export function useGateway(): GatewayBench {
  let home: GatewayHome
  let plain: Outside
  let secure: Outside

  beforeAll(async () => {
    home = await openGatewayHome()
    ;({ plain, secure } = await openOutside(home))
  })
  afterAll(() => home.close())
  beforeEach(() => {
    home.events.length = 0
    plain.seen.length = 0
    secure.seen.length = 0
  })
  return {
    get home() {
      return home
    },
    get plain() {
      return plain
    },
    get secure() {
      return secure
    },
    ask: createAsk(() => home),
    lastEvent: () => home.events.at(-1)?.summary,
  }
}
