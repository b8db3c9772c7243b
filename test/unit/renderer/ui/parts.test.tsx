import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Button } from '../../../../renderer/ui/button'
import { Field } from '../../../../renderer/ui/field'
import { NumberInput, TextInput } from '../../../../renderer/ui/inputs'
import { ErrorNotice } from '../../../../renderer/ui/notice'
import { SearchField } from '../../../../renderer/ui/search-field'
import { SizeInput } from '../../../../renderer/ui/size-input'
import { Splitter } from '../../../../renderer/ui/splitter'
import { Tabs } from '../../../../renderer/ui/tabs'
import { Toasts, type Toast } from '../../../../renderer/ui/toast'
import { RadioCards, Switch } from '../../../../renderer/ui/toggles'
import { TooltipLayer } from '../../../../renderer/ui/tooltip'

beforeEach(() => void Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true }))
afterEach(cleanup)

describe('a button that cannot be used', () => {
  it('does nothing, stays focusable and says why', () => {
    const onClick = vi.fn()
    render(
      <Button blocked="QEMU is not installed." onClick={onClick}>
        Start
      </Button>
    )
    const button = screen.getByRole('button', { name: 'Start' })
    fireEvent.click(button)
    button.focus()
    expect(onClick).not.toHaveBeenCalled()
    expect(document.activeElement).toBe(button)
    expect(button.getAttribute('aria-disabled')).toBe('true')
    expect(button.getAttribute('aria-description')).toBe('QEMU is not installed.')
  })
  it('shows the reason when it is pointed at', () => {
    // jsdom knows no top layer, and takes what is to stand there for hidden.
    vi.useFakeTimers()
    render(
      <>
        <Button blocked="QEMU is not installed.">Start</Button>
        <TooltipLayer />
      </>
    )
    fireEvent.pointerOver(screen.getByRole('button'))
    act(() => void vi.advanceTimersByTime(1000))
    expect(screen.getByRole('tooltip', { hidden: true }).textContent).toBe('QEMU is not installed.')
    fireEvent.keyDown(document.body, { key: 'Escape' })
    expect(screen.queryByRole('tooltip', { hidden: true })).toBeNull()
    vi.useRealTimers()
  })
  it('does not submit a form', () => {
    const onSubmit = vi.fn()
    render(
      <form onSubmit={onSubmit}>
        <Button type="submit" blocked="Correct what is marked first.">
          Save
        </Button>
      </form>
    )
    fireEvent.click(screen.getByRole('button'))
    expect(onSubmit).not.toHaveBeenCalled()
  })
})

describe('fields', () => {
  it('tie label, hint and error to their control', () => {
    render(
      <Field label="Name" hint="Letters and digits." error="A name is needed.">
        <TextInput value="" onChange={() => undefined} />
      </Field>
    )
    const input = screen.getByLabelText('Name')
    const described = input
      .getAttribute('aria-describedby')!
      .split(' ')
      .map((id) => document.getElementById(id)!.textContent.trim())
    expect(described).toEqual(['Letters and digits.', 'A name is needed.'])
    expect(input.getAttribute('aria-invalid')).toBe('true')
  })
  it('take a number by keys and by typing, and do not correct what is typed', () => {
    const Holder = () => {
      const [value, setValue] = useState<number | null>(2)
      return (
        <>
          <NumberInput label="Processors" value={value} onChange={setValue} min={1} max={4} />
          <output>{String(value)}</output>
        </>
      )
    }
    render(<Holder />)
    const input = screen.getByRole<HTMLInputElement>('spinbutton')
    fireEvent.keyDown(input, { key: 'ArrowUp' })
    expect(input.value).toBe('3')
    fireEvent.change(input, { target: { value: '12x' } })
    expect(input.value).toBe('12x')
    expect(screen.getByRole('status').textContent).toBe('null')
  })
  it('take a size with its unit typed along', () => {
    const onChange = vi.fn()
    render(<SizeInput label="Memory" value={2 ** 28} onChange={onChange} />)
    fireEvent.change(screen.getByLabelText('Memory'), { target: { value: '1.5g' } })
    expect(onChange).toHaveBeenLastCalledWith(1.5 * 2 ** 30)
  })
  it('empty a filter with Escape before Escape means anything else', () => {
    const outside = vi.fn()
    const Holder = () => {
      const [value, setValue] = useState('lab')
      return (
        <div onKeyDown={outside}>
          <SearchField label="Filter" value={value} onChange={setValue} />
        </div>
      )
    }
    render(<Holder />)
    const input = screen.getByRole<HTMLInputElement>('searchbox')
    fireEvent.keyDown(input, { key: 'Escape' })
    expect(input.value).toBe('')
    expect(outside).not.toHaveBeenCalled()
    fireEvent.keyDown(input, { key: 'Escape' })
    expect(outside).toHaveBeenCalledOnce()
  })
  it('keep what cannot be chosen in the list, with the reason', () => {
    const onChange = vi.fn()
    render(
      <>
        <RadioCards
          label="Source"
          value="none"
          onChange={onChange}
          cards={[
            { value: 'builtin', label: 'Built-in guest', blocked: 'It has not been built.' },
            { value: 'none', label: 'No image' }
          ]}
        />
        <Switch label="TPM 2.0" checked={false} blocked="swtpm is not installed." onChange={onChange} />
      </>
    )
    expect(screen.getByText('It has not been built.')).toBeTruthy()
    fireEvent.click(screen.getByRole('switch'))
    expect(onChange).not.toHaveBeenCalled()
    expect(screen.getByText('swtpm is not installed.')).toBeTruthy()
  })
})

describe('tabs', () => {
  const Holder = () => {
    const [active, setActive] = useState('a')
    return (
      <Tabs
        label="Parts"
        active={active}
        onChange={setActive}
        tabs={[
          { id: 'a', label: 'Overview' },
          { id: 'b', label: 'Console' },
          { id: 'c', label: 'Display' }
        ]}
      >
        <p>{active}</p>
      </Tabs>
    )
  }
  it('go round with the arrow keys, and only the active one is in the tab order', () => {
    render(<Holder />)
    fireEvent.keyDown(screen.getByRole('tablist'), { key: 'ArrowLeft' })
    expect(screen.getByRole('tab', { selected: true }).textContent).toBe('Display')
    fireEvent.keyDown(screen.getByRole('tablist'), { key: 'ArrowRight' })
    expect(screen.getByRole('tab', { selected: true }).textContent).toBe('Overview')
    expect(screen.getAllByRole('tab').map((tab) => tab.tabIndex)).toEqual([0, -1, -1])
    expect(document.activeElement?.textContent).toBe('Overview')
  })
})

describe('the splitter', () => {
  it('moves with the arrow keys, between its limits', () => {
    const onChange = vi.fn()
    render(<Splitter label="Width" width={250} min={200} max={260} initial={240} onChange={onChange} />)
    const splitter = screen.getByRole('separator')
    fireEvent.keyDown(splitter, { key: 'ArrowRight' })
    fireEvent.keyDown(splitter, { key: 'ArrowLeft' })
    fireEvent.keyDown(splitter, { key: 'Home' })
    expect(onChange.mock.calls).toEqual([[260], [234], [240]])
  })
})

describe('messages', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const toast: Toast = {
    id: 1,
    tone: 'info',
    message: 'lab1 was deleted.',
    actions: [{ label: 'Undo', run: () => undefined }],
    lifeMs: 1000
  }

  it('go by themselves, but not while they are pointed at', () => {
    const onDismiss = vi.fn()
    render(<Toasts toasts={[toast]} onDismiss={onDismiss} />)
    const card = screen.getByText('lab1 was deleted.').closest('div[data-tone]')!
    fireEvent.pointerEnter(card)
    act(() => void vi.advanceTimersByTime(5000))
    expect(onDismiss).not.toHaveBeenCalled()
    fireEvent.pointerLeave(card)
    act(() => void vi.advanceTimersByTime(1000))
    expect(onDismiss).toHaveBeenCalledWith(1)
  })
  it('stay when they have no life span', () => {
    const onDismiss = vi.fn()
    render(<Toasts toasts={[{ ...toast, lifeMs: null }]} onDismiss={onDismiss} />)
    act(() => void vi.advanceTimersByTime(600_000))
    expect(onDismiss).not.toHaveBeenCalled()
  })
})

describe('an error', () => {
  it('says what happened and what to do; the rest is folded and can be copied whole', () => {
    const onCopy = vi.fn()
    render(
      <ErrorNotice
        error={{
          code: 'qmp',
          message: 'The disk cannot be opened.',
          next: 'Stop the other machine.',
          causes: ['Failed to get "write" lock']
        }}
        onCopy={onCopy}
      />
    )
    expect(screen.queryByText(/write/)).toBeNull()
    fireEvent.click(screen.getByRole('button', { name: 'Details' }))
    fireEvent.click(screen.getByRole('button', { name: 'Copy' }))
    expect(onCopy).toHaveBeenCalledWith('The disk cannot be opened. (qmp)\nStop the other machine.\nFailed to get "write" lock')
  })
})
