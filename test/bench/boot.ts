/**
 * npm run -s bench -- boot [RUNS]: `strata machine start --wait agent` against the bare QEMU command line with the same
 * devices, from spawn to the guest agent's answer, in turn in one run. Both sides boot a fresh overlay-backed machine that
 * has booted once before.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { emit, median, progress, rounded } from './support/figures'

const STRATA = join(import.meta.dirname, '../../out/main/strata.js')
const runs = Number(process.argv[2] ?? 7)
const home = mkdtempSync(join(tmpdir(), 'strata-bench-'))
const environment = { ...process.env, STRATA_HOME: join(home, 'library'), XDG_RUNTIME_DIR: join(home, 'run') }

function strata(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [STRATA, ...args], { env: environment, encoding: 'utf8' })
  if (status !== 0) throw new Error(`strata ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** Asks the agent's socket until it answers, as an impatient person's script would: a try every 10 ms. */
async function agentAnswers(path: string): Promise<void> {
  for (;;) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(path)
      socket.on('error', () => resolve(false))
      socket.on('connect', () => socket.write('{"execute":"guest-ping"}\n'))
      socket.on('data', () => (socket.destroy(), resolve(true)))
    })
    if (answered) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function bareBoot(program: string, args: string[], runtime: string): Promise<number> {
  rmSync(runtime, { recursive: true, force: true })
  mkdirSync(runtime, { recursive: true, mode: 0o700 })
  const began = performance.now()
  const qemu = spawn(program, args, { stdio: 'ignore' })
  await agentAnswers(join(runtime, 'agent.sock'))
  const took = performance.now() - began
  const ended = new Promise((resolve) => qemu.once('exit', resolve))
  qemu.kill('SIGKILL')
  await ended
  return took
}

function strataBoot(name: string): number {
  const began = performance.now()
  strata('machine', 'start', name, '--wait', 'agent')
  const took = performance.now() - began
  strata('machine', 'stop', name, '--force')
  return took
}

async function main(): Promise<void> {
  try {
    for (const name of ['ours', 'bare']) {
      strata('machine', 'create', name)
      strata('machine', 'start', name, '--wait', 'agent')
      strata('machine', 'stop', name)
    }
    const line = JSON.parse(strata('machine', 'command-line', 'bare', '--json')) as { program: string; arguments: string[] }
    const runtime = dirname(line.arguments[line.arguments.indexOf('-pidfile') + 1]!)
    const ours: number[] = []
    const bare: number[] = []
    for (let run = 1; run <= runs; run++) {
      bare.push(await bareBoot(line.program, line.arguments, runtime))
      ours.push(strataBoot('ours'))
      progress(`${run}/${runs}: bare ${bare.at(-1)?.toFixed(0)} ms, strata ${ours.at(-1)?.toFixed(0)} ms`)
    }
    const version = execFileSync(line.program, ['--version'], { encoding: 'utf8' }).split('\n')[0]
    emit('boot', { qemu: version, runs, bareMs: rounded(median(bare), 0), strataMs: rounded(median(ours), 0), ratio: rounded(median(ours) / median(bare)) })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
void main()
