#!/usr/bin/env node
// npm run package [-- dir|deb|appimage]...: set-up, then packages in release/. Folder and Debian package need no network.
import { chmodSync, existsSync, rmSync, statSync } from 'node:fs'
import { filesBelow } from './lib/files.mjs'
import { inTop } from './lib/paths.mjs'
import { megabytes, Report } from './lib/report.mjs'
import { exitOnSignals, run, StepError } from './lib/run.mjs'
import { setUp } from './setup.mjs'

const TARGETS = { dir: 'dir', deb: 'deb', appimage: 'AppImage' }
const report = new Report()

exitOnSignals()
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof StepError)) throw error
  report.failure(error)
  process.exitCode = 1
}

async function main(given) {
  const targets = given.length > 0 ? given.map((name) => name.toLowerCase()) : ['dir']
  const unknown = targets.find((name) => !TARGETS[name])
  if (unknown) {
    report.line(`There is no target "${unknown}".\nusage: npm run package [-- ${Object.keys(TARGETS).join('|')}]...`)
    return 2
  }
  const { ready, failed } = await setUp({ report })
  if (!ready) return 1
  // A package without the guest or the native module would be half of one.
  if (failed.length > 0) throw new StepError(`Not packaged, because set-up is not complete: ${failed.map(({ step }) => step).join(', ')}.`)
  for (const target of targets) await report.step(`Package: ${target}`, () => build(target))
  const made = filesBelow(inTop('release')).filter((name) => /\.(deb|AppImage)$/.test(name))
  report.line('release/linux-unpacked/strata-desktop is the app, release/linux-unpacked/strata the command line.')
  for (const name of made) report.line(`release/${name}  ${megabytes(statSync(inTop('release', name)).size)}`)
  return 0
}

async function build(target) {
  rmSync(inTop('release/linux-unpacked'), { recursive: true, force: true })
  const args = ['--config', 'electron-builder.yml', '--linux', TARGETS[target], '--publish', 'never']
  await run(process.execPath, [inTop('node_modules/electron-builder/cli.js'), ...args], {
    cwd: inTop(),
    env: {
      ...process.env,
      CUSTOM_FPM_PATH: inTop('scripts/package/fpm.mjs'),
      // Flipping the packaged program's fuses must not flip those of the one in node_modules.
      USE_HARD_LINKS: 'false',
      CSC_IDENTITY_AUTO_DISCOVERY: 'false'
    },
    next:
      target === 'appimage'
        ? 'An AppImage needs a runtime that electron-builder downloads. Without a network, set APPIMAGE_TOOLS_PATH to a copy of its toolset.'
        : ''
  })
  if (!existsSync(inTop('release/linux-unpacked/strata-desktop')))
    throw new StepError('electron-builder made no release/linux-unpacked/strata-desktop.')
  chmodSync(inTop('release/linux-unpacked/strata'), 0o755)
}
