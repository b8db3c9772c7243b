export { DisplayTab } from './display-tab'
