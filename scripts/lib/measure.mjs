import path from 'node:path'
import { canStartDisplay, startDisplay } from './display.mjs'
import { filesBelow } from './files.mjs'
import { inTop } from './paths.mjs'
import { Report } from './report.mjs'
import { exitOnSignals } from './run.mjs'
import { TestRun } from './test-run.mjs'
import { setUp } from '../setup.mjs'

/**
 * Runs one TypeScript program of a folder, or lists them. Whatever set-up has to say goes to stderr: stdout belongs to the
 * program, which ends with one line of JSON.
 * @param {string} script the npm script that this is, for the usage line
 * @param {string} folder where the programs are
 * @returns {Promise<number>} the exit code
 */
export async function measure(script, folder, [name, ...args]) {
  exitOnSignals()
  const names = programs(folder)
  if (!names.includes(name)) {
    const list = names.length > 0 ? names.map((one) => `  ${one}`).join('\n') : `  (none yet in ${folder})`
    console.error(`${name ? `There is no ${script} called ${name}.\n` : ''}usage: npm run -s ${script} -- NAME [ARGUMENT...]\n${list}`)
    return 2
  }
  const report = new Report(process.stderr)
  if (!(await setUp({ report })).ready) return 1
  // A display of its own, where there can be one: nobody types into a window that is measured, and none is needed beside it.
  const display = canStartDisplay() ? await startDisplay() : null
  const run = new TestRun()
  try {
    const env = display ? { ...display.env, WAYLAND_DISPLAY: '' } : {}
    const { code } = await run.run(['--import', 'tsx', inTop(folder, `${name}.ts`), ...args], { cwd: inTop(), env })
    const left = await run.leftProcesses()
    for (const { pid, command } of left) report.line(`Left behind, and ended now: ${pid}  ${command.slice(0, 160)}`)
    return left.length > 0 ? 1 : (code ?? 1)
  } finally {
    run.close()
    await display?.stop()
  }
}

function programs(folder) {
  return filesBelow(inTop(folder))
    .filter((file) => file.endsWith('.ts') && !file.includes(path.sep))
    .map((file) => path.basename(file, '.ts'))
}
