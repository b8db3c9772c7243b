#!/usr/bin/env node
// Makes a checkout ready: system packages, npm packages, Electron, native modules, the ring, the built-in guest, the app's own code.
// Every step finds out quickly that it has nothing to do, so that start, test and bench simply call it first.
import { pathToFileURL } from 'node:url'
import { readJson, writeWhole } from './lib/files.mjs'
import { inTop } from './lib/paths.mjs'
import { Report } from './lib/report.mjs'
import { exitOnSignals, StepError } from './lib/run.mjs'
import { build } from './setup/build.mjs'
import { debian } from './setup/debian.mjs'
import { electron } from './setup/electron.mjs'
import { guest } from './setup/guest.mjs'
import { native } from './setup/native.mjs'
import { packages } from './setup/packages.mjs'
import { ring } from './setup/ring.mjs'

/** What each step answered when it was last done. In node_modules: it goes when they go. */
const STAMPS = inTop('node_modules/.strata-setup.json')

/** In the order of their needs. Where `must` is false, Strata opens without what the step makes. */
const STEPS = [
  { key: 'debian', ...debian, must: false },
  { key: 'packages', ...packages, must: true },
  { key: 'electron', ...electron, must: true },
  { key: 'native', ...native, must: false },
  { key: 'ring', ...ring, must: false },
  { key: 'guest', ...guest, must: false },
  { key: 'build', ...build, must: true }
]

/**
 * Does what is left to do.
 * @param {{ report?: Report }} [options]
 * @returns {Promise<{ ready: boolean, failed: { step: string, why: string }[], did: number }>} `ready`: the app can be started; `failed`: the
 *   steps that failed, by name, each reported already
 */
export async function setUp({ report = new Report() } = {}) {
  const failed = []
  let did = 0
  let stamps = readJson(STAMPS)
  for (const step of STEPS) {
    if (step.isDone(stamps[step.key])) continue
    const { withSetUpLock } = await import('./setup/lock.mjs')
    try {
      await withSetUpLock(report, async () => {
        // Somebody else may have done it while we waited; and npm removes the file with the folder that it is in.
        stamps = { ...stamps, ...readJson(STAMPS) }
        if (step.isDone(stamps[step.key])) return
        stamps[step.key] = await report.step(step.name, step.install)
        writeWhole(STAMPS, JSON.stringify(stamps))
        did++
      })
    } catch (error) {
      if (!(error instanceof StepError)) throw error
      report.failure(error)
      failed.push({ step: step.name, why: [error.message, error.output?.at(-1)].filter(Boolean).join(' ') })
      if (step.must) return { ready: false, failed, did }
    }
  }
  return { ready: true, failed, did }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  exitOnSignals()
  const start = performance.now()
  const { failed, did } = await setUp()
  if (failed.length > 0) console.log(`Set-up is not complete: ${failed.map(({ step }) => step).join(', ')}.`)
  else console.log(did ? 'Everything is set up.' : `Everything is set up already (looked for ${Math.round(performance.now() - start)} ms).`)
  process.exitCode = failed.length > 0 ? 1 : 0
}
