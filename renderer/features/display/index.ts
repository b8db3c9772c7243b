export { DisplayTab } from './DisplayTab'
