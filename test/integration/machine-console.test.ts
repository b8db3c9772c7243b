import { describe, expect, it } from 'vitest'
import { EMPTY, openLab, until } from '../support/lab'

describe('a machine’s console', () => {
  it('shows everything since the start to every viewer, and takes input', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1' })
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    const opened = await lab.core.openStream('console', { machine: 'lab1' })
    if (!opened.ok) throw new Error(opened.error.message)
    let seen = ''
    opened.value.on('data', (bytes: Buffer) => (seen += bytes.toString()))
    await until(lab, () => seen.includes('# '))
    opened.value.write('echo sum-$((6*7))\n')
    await until(lab, () => seen.includes('sum-42'))
    const second = await lab.core.openStream('console', { machine: 'lab1' })
    if (!second.ok) throw new Error(second.error.message)
    let again = ''
    second.value.on('data', (bytes: Buffer) => (again += bytes.toString()))
    await until(lab, () => again.includes('sum-42'))
    const ended = new Promise((resolve) => opened.value.on('end', resolve))
    await lab.done('machine.stop', { machine: 'lab1', force: true })
    await ended
    second.value.destroy()
    expect((await lab.call('console.log', { machine: 'lab1' })).text).toContain('sum-42')
  })

  it('gives its connection up in a flood until the next key, and nothing of the flood or the keys is lost', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1' })
    await lab.done('machine.start', { machine: 'lab1', wait: 'agent' })
    const opened = await lab.core.openStream('console', { machine: 'lab1' })
    if (!opened.ok) throw new Error(opened.error.message)
    const viewer = opened.value.resume()
    const connected = async (): Promise<boolean> =>
      !(await lab.call('monitor.run', { machine: 'lab1', line: 'info chardev' })).output.includes('serial0: filename=disconnected')
    const printing = lab.call('guest.exec', { machine: 'lab1', command: ['sh', '-c', 'seq 1 150000 > /dev/ttyS0; echo flood-over > /dev/ttyS0'] })
    for (let key = 0; key < 6; key++) {
      viewer.write(' ')
      await until(lab, connected)
      await until(lab, async () => !(await connected()))
    }
    await printing
    await until(lab, async () => (await lab.call('console.log', { machine: 'lab1' })).text.includes('flood-over'))
    // The shell echoes the keys among the numbers.
    const text = (await lab.call('console.log', { machine: 'lab1', tailBytes: 4 * 2 ** 20 })).text.replaceAll(' ', '')
    const numbers = Array.from({ length: 150_000 }, (_, index) => index + 1).join('\r\n')
    // A byte that QEMU could not write at once is in its log twice: what is looked for is whether one is missing.
    let at = 0
    for (const character of text.slice(text.indexOf('1\r\n2\r\n3'))) if (character === numbers[at]) at++
    expect(at).toBe(numbers.length)
    viewer.write('echo sum-$((6*7))\n')
    await until(lab, async () => (await lab.call('console.log', { machine: 'lab1' })).text.includes('sum-42'))
    viewer.destroy()
  })

  it('of a machine that never ran is empty, and is an end at once', async () => {
    const lab = await openLab()
    await lab.done('machine.create', { name: 'lab1', ...EMPTY })
    expect(await lab.call('console.log', { machine: 'lab1' })).toEqual({ text: '', totalBytes: 0 })
    const opened = await lab.core.openStream('console', { machine: 'lab1' })
    if (!opened.ok) throw new Error(opened.error.message)
    expect(await opened.value.toArray()).toEqual([])
  })
})
