import { test as base, expect } from '@playwright/test'
import { makeHome, Strata, type Home, type LaunchOptions } from './e2e-app'

/** A window over a machine that runs, shared by the tests of a file: each begins at the place it needs and leaves the machine running. */
export interface Lab {
  strata: Strata
  machine: string
}

interface TestFixtures {
  /** A library of this test's own. Its machines are ended and it is taken away afterwards. */
  home: Home
  /** Opens the app over `home`; quit afterwards when it still runs. */
  launch: (options?: LaunchOptions) => Promise<Strata>
}
interface WorkerFixtures {
  lab: Lab
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  home: async ({}, use) => {
    const home = makeHome()
    await use(home)
    await home.remove()
  },
  launch: async ({ home }, use) => {
    const opened: Strata[] = []
    await use(async (options) => {
      const strata = await Strata.launch(home, options)
      opened.push(strata)
      return strata
    })
    for (const strata of opened) if (!strata.isGone) await strata.quit()
  },
  lab: [
    async ({}, use) => {
      const home = makeHome()
      const strata = await Strata.launch(home)
      const machine = 'lab1'
      await strata.createMachine(machine)
      await strata.startMachine(machine)
      await use({ strata, machine })
      await strata.quit()
      await home.remove()
    },
    { scope: 'worker', timeout: 120_000 }
  ]
})

export { expect }
