import { createBridgeDouble, type BridgeDouble } from '../../../support/bridge-double'
import { scenarios, type ScenarioName } from './scenarios'

/**
 * The whole window over the test double, in a plain browser: `?scenario=three&theme=dark`. What stands in the address decides what world it
 * shows; the double is at `window.double` for whoever drives the page.
 */
declare global {
  interface Window {
    double: BridgeDouble
  }
}

const wanted = new URLSearchParams(location.search)
const scenario = scenarios[(wanted.get('scenario') ?? 'three') as ScenarioName]
const theme = wanted.get('theme') === 'dark' ? 'dark' : 'light'
const options = scenario()
const double = createBridgeDouble({
  speed: 1,
  ...options,
  settings: { theme, ...options.settings },
  facts: { still: wanted.has('still'), ...options.facts }
})
window.double = double
Object.assign(window, { strata: double })
await import('../../../../renderer/app/main')
