import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ScreenWatch } from '../../../renderer/features/labs/screen-watch'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watched() {
  const looked: string[] = []
  const state = { visible: true }
  const watch = new ScreenWatch(
    async (id) => {
      looked.push(id)
      return `${id} picture`
    },
    () => state.visible
  )
  return { looked, state, watch }
}

test('screens that are seen are looked at in turn, at a gentle rate', async () => {
  const { looked, watch } = watched()
  const shown: (string | null)[] = []
  for (const id of ['a', 'b', 'c']) watch.watch(id, (png) => shown.push(png))
  await vi.advanceTimersByTimeAsync(1000)
  expect(looked).toEqual(['a', 'b', 'c'])
  expect(shown).toEqual(['a picture', 'b picture', 'c picture'])
  await vi.advanceTimersByTimeAsync(10_000)
  expect(looked.length).toBeLessThanOrEqual(3 * 6)
  expect(new Set(looked.slice(-3)).size).toBe(3)
})

test('nobody is looked at who is out of sight, and nobody while the window is hidden', async () => {
  const { looked, state, watch } = watched()
  const stop = watch.watch('a', () => expect.fail('it was out of sight'))
  watch.watch('b', () => {})
  stop()
  await vi.advanceTimersByTimeAsync(5000)
  expect(new Set(looked)).toEqual(new Set(['b']))
  state.visible = false
  const before = looked.length
  await vi.advanceTimersByTimeAsync(5000)
  expect(looked).toHaveLength(before)
  state.visible = true
  await vi.advanceTimersByTimeAsync(5000)
  expect(looked.length).toBeGreaterThan(before)
})
