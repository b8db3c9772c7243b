import { existsSync, readFileSync } from 'node:fs'
import { readJson, sha256 } from '../lib/files.mjs'
import { inTop } from '../lib/paths.mjs'
import { run } from '../lib/run.mjs'

/** npm packages, exactly as the lock file says. */
export const packages = {
  name: 'npm packages',

  isDone: (stamp) => Boolean(stamp) && stamp.lock === lockHash() && existsSync(inTop('node_modules/.package-lock.json')),

  async install(progress) {
    if (!matchesLock()) {
      const total = Object.keys(readJson(inTop('package-lock.json')).packages ?? {}).length - 1
      let fetched = 0
      await run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=http'], {
        cwd: inTop(),
        // It names every file that it fetches: our measure of how far it is. What it warns of is not why it fails.
        onLine: (line) => {
          if (line.startsWith('npm http ')) progress(`${Math.min(total, ++fetched)} of ${total} packages`)
          return !/^npm (http|warn) /.test(line)
        },
        next: 'Check the network connection, then run the same command again.'
      })
    }
    return { lock: lockHash() }
  }
}

const lockHash = () => sha256(readFileSync(inTop('package-lock.json')))

/** Was node_modules installed from this lock file, by whomever? npm leaves a list of what it put there. */
function matchesLock() {
  const wanted = readJson(inTop('package-lock.json')).packages ?? {}
  const there = readJson(inTop('node_modules/.package-lock.json')).packages
  if (!there || Object.keys(there).some((name) => !wanted[name])) return false
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '' || entry.link) return true
    if (!there[name]) return Boolean(entry.optional || entry.devOptional)
    return there[name].version === entry.version && there[name].integrity === entry.integrity
  })
}
