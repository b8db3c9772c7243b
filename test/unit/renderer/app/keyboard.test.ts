import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { keysOfEvent, startKeyboard } from '../../../../renderer/app/commands/keyboard'
import { setCommands } from '../../../../renderer/app/commands/registry'

const key = (init: KeyboardEventInit): KeyboardEvent => new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init })

describe('keys', () => {
  it.each([
    [{ key: 'k', code: 'KeyK', ctrlKey: true }, 'Ctrl+K'],
    [{ key: 'P', code: 'KeyP', ctrlKey: true, shiftKey: true }, 'Ctrl+Shift+P'],
    [{ key: '?', code: 'Slash', shiftKey: true }, '?'],
    [{ key: 'F2', code: 'F2' }, 'F2'],
    [{ key: 'ArrowUp', code: 'ArrowUp', ctrlKey: true, altKey: true }, 'Ctrl+Alt+ArrowUp'],
    // Russian layout: the letter has no Latin name, its place has.
    [{ key: 'л', code: 'KeyK', ctrlKey: true }, 'Ctrl+K'],
    // French layout: what is written on the key counts, not where it is.
    [{ key: 'a', code: 'KeyQ', ctrlKey: true }, 'Ctrl+A']
  ])('%o are %s', (event, keys) => {
    expect(keysOfEvent(key(event))).toBe(keys)
  })
})

describe('shortcuts', () => {
  const run = { palette: vi.fn(), undo: vi.fn(), help: vi.fn(), rename: vi.fn() }
  let stop: () => void
  beforeEach(() => {
    document.body.innerHTML = '<button id="b"></button><input id="i"><div data-guest-keyboard><textarea id="guest"></textarea></div>'
    const command = (id: keyof typeof run, keys: string[], more = {}) => ({
      id,
      title: id,
      section: 'View' as const,
      keys,
      run: run[id],
      ...more
    })
    setCommands([
      command('palette', ['Ctrl+K', 'Ctrl+Shift+K'], { always: true }),
      command('undo', ['Ctrl+Z']),
      command('help', ['?']),
      command('rename', ['F2'])
    ])
    Object.values(run).forEach((one) => one.mockClear())
    stop = startKeyboard()
  })
  afterEach(() => stop())
  const press = (id: string, init: KeyboardEventInit): boolean => document.getElementById(id)!.dispatchEvent(key(init))

  it('run their command once and take the key', () => {
    expect(press('b', { key: 'k', code: 'KeyK', ctrlKey: true })).toBe(false)
    expect(run.palette).toHaveBeenCalledOnce()
  })
  it('leave a text field what text fields use', () => {
    press('i', { key: 'z', code: 'KeyZ', ctrlKey: true })
    press('i', { key: '?', code: 'Slash', shiftKey: true })
    expect(run.undo).not.toHaveBeenCalled()
    expect(run.help).not.toHaveBeenCalled()
    press('i', { key: 'k', code: 'KeyK', ctrlKey: true })
    press('i', { key: 'F2', code: 'F2' })
    expect(run.palette).toHaveBeenCalledOnce()
    expect(run.rename).toHaveBeenCalledOnce()
  })
  it('leave a guest everything but Ctrl+Shift chords that are meant for it', () => {
    press('guest', { key: 'k', code: 'KeyK', ctrlKey: true })
    press('guest', { key: 'F2', code: 'F2' })
    press('guest', { key: 'z', code: 'KeyZ', ctrlKey: true })
    expect([run.palette, run.rename, run.undo].map((one) => one.mock.calls.length)).toEqual([0, 0, 0])
    press('guest', { key: 'K', code: 'KeyK', ctrlKey: true, shiftKey: true })
    expect(run.palette).toHaveBeenCalledOnce()
  })
  it('are silent while a dialog is open', () => {
    document.body.insertAdjacentHTML('beforeend', '<div role="dialog" data-state="open"></div>')
    press('b', { key: 'k', code: 'KeyK', ctrlKey: true })
    expect(run.palette).not.toHaveBeenCalled()
  })
})
