export { Tour } from './tour'
export { startTour } from './play'
