import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratchFolder, smallFileSystem } from '../support/scratch'
import { buildScript, builtGuest, GuestVm, until } from './guest-recipe-vm'

const MiB = 1024 * 1024

interface Interface {
  name: string
  'ip-addresses'?: { 'ip-address-type': string; 'ip-address': string }[]
  statistics?: { 'rx-bytes': number; 'tx-bytes': number }
}

const interfacesOf = async (vm: GuestVm): Promise<Interface[]> => (await vm.agent('guest-network-get-interfaces')) as Interface[]

describe('the built-in guest', () => {
  it('boots to its agent, has its name, an address, prompts and all of its disk, and obeys the power button', async () => {
    const folder = scratchFolder()
    const disk = GuestVm.createDisk(folder, '1G')
    const vm = await GuestVm.boot(folder, disk, 'lab-1')

    expect(await vm.agent('guest-get-host-name')).toEqual({ 'host-name': 'lab-1' })
    expect(await vm.agent('guest-get-osinfo')).toMatchObject({ name: 'Strata guest', id: 'strata' })
    // The agent answers before the loopback interface is up.
    expect(await vm.run('until ping -c 1 -w 5 lab-1 >/dev/null 2>&1; do sleep 0.1; done; hostname')).toBe('lab-1')

    const ethernet = async (): Promise<Interface | undefined> => (await interfacesOf(vm)).find((one) => one.name === 'eth0')
    await until(async () => (await ethernet())?.['ip-addresses']?.some((address) => address['ip-address-type'] === 'ipv4') ?? false)
    expect((await ethernet())?.['ip-addresses']).toContainEqual(expect.objectContaining({ 'ip-address': '10.0.2.15' }))
    expect((await ethernet())?.statistics?.['rx-bytes']).toBeGreaterThan(0)

    await until(() => vm.consoleOutput().includes('root@lab-1:~# '))
    vm.console.write('echo typed-$((20 + 22))\r')
    await until(() => vm.consoleOutput().includes('typed-42'))

    const screen = join(folder, 'screen.ppm')
    await vm.qmp('screendump', { filename: screen })
    // The welcome and the prompt on a black ground: more than one colour.
    expect(new Set(readFileSync(screen).subarray(20)).size).toBeGreaterThan(1)

    const sizeOfRoot = async (): Promise<number> => Number(await vm.run("df -k / | awk 'END { print $2 }'")) * 1024
    await until(async () => (await sizeOfRoot()) > 900 * MiB)

    await vm.qmp('system_powerdown')
    expect(await vm.ended).toBe(0)
    expect(fileSystemState(folder, disk)).toBe('clean')
  })

  it('keeps what was written and synced when QEMU is killed, freezes and thaws, and obeys guest-shutdown', async () => {
    const folder = scratchFolder()
    const disk = GuestVm.createDisk(folder, '512M')
    const first = await GuestVm.boot(folder, disk, 'lab-2')
    const sum = await first.run('dd if=/dev/urandom of=/root/data bs=1M count=4 2>/dev/null && sync && sha256sum /root/data')
    first.qemu.kill('SIGKILL')
    expect(await first.ended).toBe('SIGKILL')

    const second = await GuestVm.boot(folder, disk, 'renamed')
    expect(await second.run('sha256sum /root/data')).toBe(sum)
    expect(await second.run('hostname')).toBe('renamed')
    expect(await second.agent('guest-fsfreeze-freeze')).toBe(1)
    expect(await second.agent('guest-fsfreeze-status')).toBe('frozen')
    expect(await second.agent('guest-fsfreeze-thaw')).toBe(1)

    second.tellAgent('guest-shutdown')
    expect(await second.ended).toBe(0)
    expect(fileSystemState(folder, disk)).toBe('clean')
  })
})

describe('build.sh', () => {
  const build = (...args: string[]): { code: number | null; error: string } => {
    const { status, stderr } = spawnSync('bash', [buildScript, ...args], { encoding: 'utf8' })
    return { code: status, error: stderr }
  }

  it('names the recipe that a guest was made from', () => {
    const hash = execFileSync('bash', [buildScript, '--recipe-hash'], { encoding: 'utf8' }).trim()
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(builtGuest().recipeHash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('refuses bad usage, and a folder that holds something else', () => {
    expect(build().code).toBe(2)
    expect(build('--what').code).toBe(2)
    const folder = join(scratchFolder(), 'Träume und Fotos')
    mkdirSync(folder)
    writeFileSync(join(folder, 'photo'), '')
    expect(build(folder)).toEqual({ code: 1, error: expect.stringContaining('holds other files') as string })
    expect(readdirSync(folder)).toEqual(['photo'])
  })

  it('says so when there is too little space, and leaves nothing behind', (context) => {
    const folder = smallFileSystem(16 * MiB)
    if (!folder) return context.skip('only root may mount a small file system')
    expect(build(join(folder, 'guest'))).toEqual({ code: 1, error: expect.stringContaining('Too little space') as string })
    expect(existsSync(join(folder, 'guest'))).toBe(false)
    expect(readdirSync(folder)).toEqual([])
  })
})

/** What ext4's superblock says of the root file system: clean, unless it has to be repaired at the next mount. */
function fileSystemState(folder: string, disk: string): string {
  const start = join(folder, 'start.raw')
  execFileSync('qemu-img', ['dd', '-f', 'qcow2', '-O', 'raw', 'bs=4096', 'count=1', `if=${disk}`, `of=${start}`])
  const superblock = readFileSync(start).subarray(1024)
  const needsRecovery = (superblock.readUInt32LE(0x60) & 0x4) !== 0
  return (superblock.readUInt16LE(0x3a) & 0x1) !== 0 && !needsRecovery ? 'clean' : 'needs repair'
}
