export * from './find-file'
export * from './path-field'
export * from './task-dialog'
