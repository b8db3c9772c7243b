export { Welcome } from './welcome'
