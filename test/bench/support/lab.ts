import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnswerOf, InputOf, OperationName, ResultOf, TaskOperationName } from '#contract'
import { openCore, type OwnedCore } from '#core/index'

export const TOP = join(import.meta.dirname, '../../..')

/** A library of a benchmark's own, opened in this process. */
export interface BenchLab {
  home: string
  core: OwnedCore
  call<N extends OperationName>(name: N, input: InputOf<N>): Promise<AnswerOf<N>>
  /** Runs a long operation to its end, which has to be a success. */
  done<N extends TaskOperationName>(name: N, input: InputOf<N>): Promise<ResultOf<N>>
}

export async function withLab<T>(act: (lab: BenchLab) => Promise<T>): Promise<T> {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'strata-bench-')))
  mkdirSync(join(home, 'run'), { mode: 0o700 })
  const environment = { ...process.env, STRATA_HOME: join(home, 'library'), XDG_RUNTIME_DIR: join(home, 'run') }
  const core = await openCore({ environment, builtinGuest: join(TOP, 'out/guest') })
  const lab: BenchLab = {
    home,
    core,
    async call(name, input) {
      const answer = await core.call(name, input)
      if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(answer.error)}`)
      return answer.value as never
    },
    async done(name, input) {
      const { taskId } = (await lab.call(name, input)) as { taskId: string }
      const task = await lab.call('task.wait', { taskId })
      if (task.state.kind !== 'done') throw new Error(`${name}: ${JSON.stringify(task.state)}`)
      return task.state.result as never
    }
  }
  // Nothing of the core keeps a process alive by itself.
  const alive = setInterval(() => {}, 60_000)
  try {
    return await act(lab)
  } finally {
    for (const machine of await lab.call('machine.list', {})) {
      if ('pid' in machine.state) await lab.done('machine.stop', { machine: machine.id, force: true })
    }
    await core.close()
    clearInterval(alive)
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** What an act takes, in milliseconds. */
export async function timed(act: () => unknown): Promise<number> {
  const from = performance.now()
  await act()
  return performance.now() - from
}
