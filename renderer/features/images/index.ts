export { ImagesScreen } from './images-screen'
export { FindImageDialog } from './find-dialog'
export { ImportDialog } from './import-dialog'
