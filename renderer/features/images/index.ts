export { ImagesScreen } from './images-screen'
export { ImportDialog } from './import-dialog'
