import { examplesWith } from '../box.ts'

export const examples = examplesWith({ show: [{ args: { name: 'OLD' } }] })
