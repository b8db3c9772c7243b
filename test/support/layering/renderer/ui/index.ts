/** Breaks ui-alone. */
export { disks } from '../features/disks/index'
