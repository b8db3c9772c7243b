#!/usr/bin/env node
// node scripts/qmp-types.mjs [--check]: writes electron/core/qmp/commands.ts from what the installed QEMU says of itself
// (QMP query-qmp-schema), for the commands and events listed in scripts/lib/qmp-names.mjs. To use one more: add it there, run this.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { inTop } from './lib/paths.mjs'
import { render } from './lib/qmp-render.mjs'

const FILE = inTop('electron/core/qmp/commands.ts')
const QEMU = 'qemu-system-x86_64'

/** The greeting and the schema of the installed QEMU. */
function askQemu() {
  const input = ['qmp_capabilities', 'query-qmp-schema', 'quit'].map((execute) => JSON.stringify({ execute }) + '\n').join('')
  const args = ['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-qmp', 'stdio']
  const { stdout, stderr, status, error } = spawnSync(QEMU, args, { input, encoding: 'utf8', maxBuffer: 64 * 2 ** 20, timeout: 30_000 })
  if (error || status !== 0) throw new Error(`${QEMU} did not tell its schema: ${error?.message ?? stderr}`)
  const messages = stdout.trim().split('\n').map((line) => JSON.parse(line))
  const schema = messages.find((message) => Array.isArray(message.return))?.return
  if (!schema) throw new Error(`${QEMU} did not tell its schema: ${stdout.slice(0, 500)}`)
  const { major, minor } = messages[0].QMP.version.qemu
  return { version: `${major}.${minor}`, schema }
}

const { version, schema } = askQemu()
const text = render(schema, version)
if (process.argv.includes('--check')) {
  const same = readFileSync(FILE, 'utf8') === text
  console.log(same ? 'commands.ts is as QEMU says.' : 'commands.ts differs from what QEMU says: run node scripts/qmp-types.mjs')
  process.exitCode = same ? 0 : 1
} else {
  writeFileSync(FILE, text)
  console.log(`Wrote ${FILE}: ${text.split('\n').length} lines.`)
}
