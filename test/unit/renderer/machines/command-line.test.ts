import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { operations, type InputOf } from '#contract'
import { createLine } from '../../../../renderer/features/machines/create/command-line'
import { parseArguments } from '../../../../electron/cli/arguments'
import { deriveManifest } from '../../../../electron/cli/derive'

const command = deriveManifest().commands.find((one) => one.operation === 'machine.create')!
/** The words of a line, as a real shell sees them. */
const words = (line: string): string[] =>
  spawnSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .stdout.split('\0')
    .slice(0, -1)

const plain: InputOf<'machine.create'> = {
  name: 'lab1',
  source: 'builtin',
  cpus: 2,
  memory: '256M',
  disk: '1G',
  network: ['user'],
  forward: ['tcp:2222:22'],
  firmware: 'bios',
  tpm: false,
  display: true,
  sharedMemory: false,
  accelerator: 'auto'
}

describe('the line that does the same as the wizard', () => {
  it('is short where the defaults are', () => {
    expect(createLine(plain)).toBe(
      'strata machine create lab1 --source builtin --disk 1G --cpus 2 --memory 256M --network user --forward tcp:2222:22'
    )
  })
  it.each<[string, InputOf<'machine.create'>]>([
    ['the defaults', plain],
    [
      'everything else',
      {
        ...plain,
        name: 'Übung 机 1',
        source: 'debian 12',
        copy: true,
        network: ['isolated:lab', 'bridge:br0'],
        forward: [],
        firmware: 'uefi',
        tpm: true,
        display: false,
        sharedMemory: true,
        accelerator: 'tcg',
        tag: ["it's", '$HOME'],
        user: 'ada',
        sshKey: ['ssh-ed25519 AAAA ada@x', 'ssh-rsa B']
      }
    ],
    ['no network, no disk', { ...plain, network: [], forward: [], disk: '0' }]
  ])('means the same to a shell and to strata: %s', (_what, input) => {
    const [program, ...typed] = words(createLine(input))
    expect([program, ...typed.slice(0, 2)]).toEqual(['strata', 'machine', 'create'])
    const read = operations['machine.create'].input.parse(parseArguments(command, typed.slice(2)).input)
    const meant = operations['machine.create'].input.parse(input)
    // What is left out of the line is the default anyway.
    const defaults = { firmware: 'bios', tpm: false, display: true, sharedMemory: false, accelerator: 'auto', forward: [] }
    expect({ ...defaults, ...read }).toEqual({ ...defaults, ...meant })
  })
})
