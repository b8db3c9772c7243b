export * from '../../task-dialog'
