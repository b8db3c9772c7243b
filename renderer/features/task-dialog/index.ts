export * from './find-file'
export * from './names'
export * from './path-field'
export * from './task-dialog'
