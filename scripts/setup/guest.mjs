import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { fingerprint, readJson, replaceFolder } from '../lib/files.mjs'
import { CACHE, inTop } from '../lib/paths.mjs'
import { run, StepError } from '../lib/run.mjs'

const RECIPE = inTop('resources/guest')
const OUT = inTop('out/guest')

/** The built-in guest in out/guest. Strata opens without it, and says what is missing. */
export const guest = {
  name: 'Built-in guest',

  isDone: (stamp) => Boolean(stamp) && stamp.recipe === fingerprint([RECIPE]) && existsSync(path.join(OUT, 'guest.json')),

  async install(progress) {
    const script = path.join(RECIPE, 'build.sh')
    if (!existsSync(script)) throw new StepError('There is no resources/guest/build.sh.', { next: 'Get a complete checkout of Strata.' })
    const recipe = fingerprint([RECIPE])
    const hash = (await run('bash', [script, '--recipe-hash'])).trim()
    if (recipeOf(OUT) !== hash) {
      const cached = path.join(CACHE, `guest-${hash.slice(0, 16)}`)
      if (recipeOf(cached) !== hash) {
        await build(script, cached, progress)
        removeOldGuests()
      }
      replaceFolder(cached, OUT)
    }
    return { recipe }
  }
}

/** The hash of the recipe that a built guest came from. The description is written last: without it, the guest is not whole. */
const recipeOf = (folder) => readJson(path.join(folder, 'guest.json')).recipeHash

async function build(script, folder, progress) {
  rmSync(folder, { recursive: true, force: true })
  await run('bash', [script, folder], {
    onLine: (line) => line.startsWith('==> ') && progress(line.slice(4)),
    next: 'Strata works without it, with images of your own. To try again: npm run setup'
  })
}

/** Of guests from earlier recipes the two latest stay, for whoever goes back and forth between branches. */
function removeOldGuests() {
  const guests = readdirSync(CACHE)
    .filter((name) => name.startsWith('guest-'))
    .map((name) => path.join(CACHE, name))
  const byAge = guests.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  for (const old of byAge.slice(3)) rmSync(old, { recursive: true, force: true })
}
