import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import type { Trace, TraceSample } from '#contract'
import { pulsesOf, stripsOf } from '../../../../renderer/features/disks/xray/rates'
import { diskMachines } from '../../../support/bridge-double/disk-samples'
import { findRow, openWindow } from '../open-window'

const counts = { reads: 0, readBytes: 0, servedBytes: 0, writes: 0, writtenBytes: 0, clusters: 0 }
const file = (path: string): Trace['files'][number] => ({ path, disk: 'disk0', nodeName: path, opens: 2, ...counts, fileReads: 0, fileReadBytes: 0, fileWrites: 0, fileWrittenBytes: 0 })
const sample = (atMs: number, files: TraceSample['files']): TraceSample => ({ atMs, lengthMs: 250, estimated: false, files })
const trace: Trace = {
  machineId: 'm',
  machine: 'lab1',
  sinceMs: 0,
  atMs: 10_000,
  sampled: false,
  guest: [],
  files: [file('top'), file('base')],
  samples: [
    sample(5000, [{ ...counts, path: 'base', servedBytes: 4_000_000 }]), // long ago: no part of now
    sample(9600, [{ ...counts, path: 'top', writes: 4, writtenBytes: 1000 }]),
    sample(9900, [{ ...counts, path: 'base', reads: 10, servedBytes: 5000 }, { ...counts, path: 'top', reads: 10, servedBytes: 1250 }])
  ],
  events: []
}

describe('the X-ray’s numbers', () => {
  it('are rates of the last second, beside the busiest layer', () => {
    const pulses = pulsesOf(trace)
    expect(pulses.get('base')).toMatchObject({ readsPerSecond: 20, servedPerSecond: 10_000, writesPerSecond: 0, served: 1, written: 0 })
    expect(pulses.get('top')).toMatchObject({ servedPerSecond: 2500, writtenPerSecond: 2000, served: 0.25, written: 1 })
  })

  it('hold until there are newer ones, of a guest that is looked at every now and then', () => {
    const long = { ...sample(8500, [{ ...counts, path: 'base', reads: 30, servedBytes: 15_000 }]), lengthMs: 1500, estimated: true }
    expect(pulsesOf({ ...trace, samples: [long] }).get('base')).toMatchObject({ readsPerSecond: 20, servedPerSecond: 10_000 })
    expect(pulsesOf({ ...trace, atMs: 11_500, samples: [long] }).get('base')).toMatchObject({ readsPerSecond: 0 })
  })

  it('are drawn beside the busiest moment', () => {
    const [top, base] = stripsOf(trace, trace.files)
    expect(base!.served.at(-21)).toBe(1) // five seconds ago
    expect(base!.served.at(-1)).toBeCloseTo(Math.sqrt(5000 / 4_000_000))
    expect(top!.written.flatMap((share, column) => (share > 0 ? [column] : []))).toEqual([118])
  })
})

describe('the X-ray of a disk', () => {
  const toggle = (): HTMLElement => screen.getByRole('button', { name: 'X-ray' })
  const open = async (name: string) => {
    const double = await openWindow({ machines: diskMachines() })
    fireEvent.mouseDown(await findRow(name))
    fireEvent.click(await screen.findByRole('tab', { name: 'Disks' }))
    await screen.findByRole('button', { name: 'X-ray' })
    return double
  }
  const stops = (double: Awaited<ReturnType<typeof open>>): number => double.calls.filter(({ name }) => name === 'trace.stop').length

  it('shows each layer’s part live, and is over when it is closed', async () => {
    const double = await open('lab1')
    fireEvent.click(toggle())
    const panel = within(await screen.findByRole('region', { name: 'X-ray' }))
    await waitFor(() => expect(panel.getAllByRole('row').map((row) => row.querySelector('th')?.textContent)).toEqual(['Layer', 'Active layer', 'Commit 4', 'Commit 3', 'Commit 2', 'Built-in guest']))
    panel.getByText(/QEMU opened 5 files for this disk, 10 opens in all/)
    expect(screen.getAllByText(/written$/).length).toBeGreaterThan(0)
    expect(toggle().getAttribute('aria-pressed')).toBe('true')
    fireEvent.click(toggle())
    await waitFor(() => expect(screen.queryByRole('region', { name: 'X-ray' })).toBeNull())
    expect(stops(double)).toBe(1)
  })

  it('is over when another tab is opened', async () => {
    const double = await open('lab1')
    fireEvent.click(toggle())
    await screen.findByRole('region', { name: 'X-ray' })
    fireEvent.click(screen.getByRole('tab', { name: 'Overview' }))
    await waitFor(() => expect(stops(double)).toBe(1))
  })

  it('ends with the machine, and does not begin again with it', async () => {
    const double = await open('lab1')
    fireEvent.click(toggle())
    await screen.findByRole('region', { name: 'X-ray' })
    await double.call('machine.stop', { machine: 'lab1', force: true })
    await waitFor(() => expect(screen.queryByRole('region', { name: 'X-ray' })).toBeNull())
    await double.call('machine.start', { machine: 'lab1' })
    await waitFor(() => expect(toggle().getAttribute('aria-description')).toBeNull())
    expect(toggle().getAttribute('aria-pressed')).toBe('false')
  })

  it('says why a machine that is off cannot be looked into', async () => {
    await open('lab2')
    expect(toggle().getAttribute('aria-description')).toBe('Start lab2 first: the X-ray shows what its QEMU does.')
  })
})
