// Every workflow that a worker serves, under the name it is started by. What the bundle is made of.

export { auditAnchor } from './anchor.ts'
export { assistant } from './assistant.ts'
export { chunk } from './chunk.ts'
export { firing } from './firing.ts'
export { request } from './request.ts'
