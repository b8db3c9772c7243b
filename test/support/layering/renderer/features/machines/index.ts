/** Breaks feature-through-index and feature-below-app. */
export { table as machines } from '../disks/table'
export { page } from '../../app/main'
