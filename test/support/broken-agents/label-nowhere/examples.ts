export { examples } from '../box.ts'
