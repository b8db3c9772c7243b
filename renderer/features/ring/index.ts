export { RingScreen } from './ring-screen'
