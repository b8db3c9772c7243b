/** Breaks nothing: the contract, ui and another feature's index.ts may be used. */
export { memory } from '#contract'
export { machines } from '../machines/index'
export { table as disks } from './table'
