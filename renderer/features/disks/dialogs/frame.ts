export * from '../../task-dialog'
export * from '../../task-dialog/path-field'
