import type { InputOf, OperationName, Result, ResultOf } from '#contract'

interface Answering {
  call(name: string, input: unknown): Promise<Result<unknown>>
}

/** Calls an operation for the shell itself, and checks the answer. The schemas are loaded with the first call: the window does not wait for them. */
export async function ask<N extends OperationName>(core: Answering, name: N, input: InputOf<N>): Promise<Result<ResultOf<N>>> {
  const answered = await core.call(name, input)
  if (!answered.ok) return answered
  const { operations } = await import('#contract')
  return { ok: true, value: operations[name].result.parse(answered.value) as ResultOf<N> }
}
