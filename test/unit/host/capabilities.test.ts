import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Host } from '#contract'
import { bridgeAvailability, findFirmware, inspectHost, kvmAvailability, parseCpuInfo, type InspectOptions } from '#core/host/capabilities'
import { HostWatch } from '#core/host/host'
import { CpuLoad, parseCpuTimes } from '#core/host/load'
import { findProgram } from '#core/host/program'
import { inspectQemu, parseMachineHelp } from '#core/host/qemu-binary'
import { asNobody, failureOf, scratchFolder } from '../../support/scratch'

/** A QEMU that answers like one, counts how often it is asked, and can be told to fail. */
function fakeQemu(folder: string, version = '9.1.2'): { path: string; asked: () => number; break: () => void } {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'qemu-system-x86_64')
  const log = join(folder, 'asked')
  const [major, minor, micro] = version.split('.')
  writeFileSync(log, '')
  writeFileSync(
    path,
    `#!/bin/sh
echo "$2" >> ${log}
[ ! -e ${folder}/broken ] || { echo "error while loading shared libraries: libfoo.so" >&2; exit 127; }
if [ "$2" = help ]; then
  printf '%s\\n' 'Supported machines are:' 'q35                  Standard PC (alias of pc-q35-9.1)' 'pc-q35-9.1           Standard PC (default)' 'none                 empty machine'
else
  /bin/cat > /dev/null
  echo '{"QMP": {"version": {"qemu": {"micro": ${micro}, "minor": ${minor}, "major": ${major}}, "package": ""}, "capabilities": []}}'
  echo '{"return": {}}'
  echo '{"return": [{"name": "pc-q35-9.1", "alias": "q35", "cpu-max": 4096}, {"name": "none", "cpu-max": 1}]}'
  echo '{"return": {}}'
fi
`,
    { mode: 0o755 }
  )
  return {
    path,
    asked: () => readFileSync(log, 'utf8').split('\n').filter((line) => line === 'none').length,
    break: () => writeFileSync(join(folder, 'broken'), '')
  }
}

const optionsIn = (folder: string, path: string): InspectOptions => ({
  environment: { PATH: path },
  libraryPath: folder,
  cacheFile: join(folder, 'qemu.json'),
  builtinGuest: join(folder, 'guest')
})

describe('the host', () => {
  test('fits the contract, on this computer', async () => {
    const host = await inspectHost(optionsIn(scratchFolder(), process.env['PATH'] ?? ''))
    expect(Host.parse(host)).toEqual(host)
    expect(host.cpu.count).toBeGreaterThan(0)
    expect(host.cpu.model).not.toBe('')
    expect(host.memory.totalBytes).toBeGreaterThan(host.memory.availableBytes)
    expect(host.library.freeBytes).toBeGreaterThan(0)
    expect(host.system).toContain('Linux ')
  })

  test('without QEMU says so with the command that installs it', async () => {
    const host = await inspectHost(optionsIn(scratchFolder(), '/nowhere:relative'))
    expect(host.qemu).toBeNull()
    expect(host.qemuMissing).toEqual({ message: 'QEMU is not installed.', install: 'sudo apt-get install qemu-system-x86 qemu-utils' })
    expect(host.accelerators.tcg).toEqual({ available: false, reason: 'QEMU is not installed.', install: 'sudo apt-get install qemu-system-x86 qemu-utils' })
    expect(host.tpm).toEqual({ available: false, reason: 'swtpm is not installed', install: 'sudo apt-get install swtpm' })
    expect(host.isolatedNetworks).toMatchObject({ available: false, install: 'sudo apt-get install vde2' })
    expect(host.builtinGuest).toMatchObject({ available: false, reason: 'it has not been made yet' })
  })

  test('a QEMU that does not run is told with its own words', async () => {
    const folder = scratchFolder()
    fakeQemu(join(folder, 'bin')).break()
    const host = await inspectHost(optionsIn(folder, `${folder}/bin`))
    expect(host.qemu).toBeNull()
    expect(host.qemuMissing?.message).toContain('libfoo.so')
    expect(host.qemuMissing?.install).toContain('--reinstall')
  })

  test('is noticed to have QEMU soon after it was installed', async () => {
    const folder = scratchFolder()
    mkdirSync(join(folder, 'bin'))
    let told: (host: Host) => void = () => {}
    const change = new Promise<Host>((resolve) => (told = resolve))
    const watch = await HostWatch.open(optionsIn(folder, `${folder}/bin`), (host) => told(host))
    try {
      expect(watch.value.qemu).toBeNull()
      const installedAt = performance.now()
      fakeQemu(join(folder, 'bin'))
      expect((await change).qemu).toMatchObject({ version: '9.1.2' })
      expect(performance.now() - installedAt).toBeLessThan(4000)
    } finally {
      watch.close()
    }
  })

  test('the built-in guest is there once its description is', async () => {
    const folder = scratchFolder()
    mkdirSync(join(folder, 'guest'))
    writeFileSync(join(folder, 'guest', 'guest.json'), JSON.stringify({ kernelRelease: '6.1.0-9-amd64' }))
    const options = optionsIn(folder, '')
    expect((await inspectHost(options)).builtinGuest).toEqual({ available: true, detail: 'Linux 6.1.0-9-amd64' })
    writeFileSync(join(folder, 'guest', 'guest.json'), '{')
    expect((await inspectHost(options)).builtinGuest).toMatchObject({ available: false, reason: expect.stringContaining('does not hold JSON') as string })
  })
})

describe('asking QEMU', () => {
  test('gives version, target and machine types', async () => {
    const folder = scratchFolder()
    const { path } = fakeQemu(join(folder, 'bin'))
    expect(await inspectQemu(path, join(folder, 'cache'))).toEqual({
      path,
      version: '9.1.2',
      target: 'x86_64',
      machineTypes: [
        { name: 'q35', description: 'Standard PC (alias of pc-q35-9.1)', isDefault: false, maxCpus: 4096 },
        { name: 'pc-q35-9.1', description: 'Standard PC', isDefault: true, maxCpus: 4096 }
      ]
    })
  })

  test('the QEMU of this computer answers too', async ({ skip }) => {
    const path = findProgram('qemu-system-x86_64', process.env)
    if (path === null) return skip('QEMU is not installed')
    const qemu = await inspectQemu(path, join(scratchFolder(), 'cache'))
    expect(qemu.version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(qemu.machineTypes.find((machine) => machine.name === 'q35')?.maxCpus).toBeGreaterThan(200)
    expect(qemu.machineTypes.filter((machine) => machine.isDefault)).toHaveLength(1)
  })

  test('happens once for a version, however often and from however many it is wanted', async () => {
    const folder = scratchFolder()
    const cache = join(folder, 'cache')
    const { path, asked } = fakeQemu(join(folder, 'bin'))
    await Promise.all([inspectQemu(path, cache), inspectQemu(path, cache)])
    await inspectQemu(path, cache)
    expect(asked()).toBe(1)
  })

  test('is spared the next process by the cache file, and a damaged one is made anew', async () => {
    const folder = scratchFolder()
    const cache = join(folder, 'cache')
    const original = fakeQemu(join(folder, 'bin'))
    const known = await inspectQemu(original.path, cache)
    const { modifiedAtMs, sizeBytes } = (JSON.parse(readFileSync(cache, 'utf8')) as { entries: [{ modifiedAtMs: number; sizeBytes: number }] }).entries[0]
    expect({ modifiedAtMs, sizeBytes }).toEqual({ modifiedAtMs: statSync(original.path).mtimeMs, sizeBytes: statSync(original.path).size })
    // Another path is another QEMU to this process's memory: only the file can spare it the question.
    const other = fakeQemu(join(folder, 'other'))
    const { mtimeMs, size } = statSync(other.path)
    writeFileSync(cache, JSON.stringify({ schemaVersion: 1, entries: [{ path: other.path, modifiedAtMs: mtimeMs, sizeBytes: size, binary: { ...known, version: '1.2.3' } }] }))
    expect((await inspectQemu(other.path, cache)).version).toBe('1.2.3')
    expect(other.asked()).toBe(0)
    writeFileSync(cache, '{"schemaVersion": 1, "entr')
    const third = fakeQemu(join(folder, 'third'))
    expect((await inspectQemu(third.path, cache)).version).toBe('9.1.2')
    expect(JSON.parse(readFileSync(cache, 'utf8'))).toMatchObject({ entries: [{ path: third.path }] })
  })

  test('happens again after an upgrade, and after a failure', async () => {
    const folder = scratchFolder()
    const cache = join(folder, 'cache')
    const { path, break: breakIt } = fakeQemu(join(folder, 'bin'))
    await inspectQemu(path, cache)
    fakeQemu(join(folder, 'bin'), '10.0.1')
    utimesSync(path, 1, 1)
    expect((await inspectQemu(path, cache)).version).toBe('10.0.1')
    breakIt()
    utimesSync(path, 2, 2)
    await failureOf('program-failed', inspectQemu(path, cache))
    rmSync(join(folder, 'bin', 'broken'))
    expect((await inspectQemu(path, cache)).version).toBe('10.0.1')
  })

  test('a program of that name that is no QEMU is told', async () => {
    const folder = scratchFolder()
    copyFileSync('/bin/true', join(folder, 'qemu-system-x86_64'))
    await failureOf('protocol', inspectQemu(join(folder, 'qemu-system-x86_64'), join(folder, 'cache')))
  })

  test('a cache that cannot be written does not matter', async () => {
    const folder = scratchFolder()
    const { path } = fakeQemu(join(folder, 'bin'))
    expect((await inspectQemu(path, join(folder, 'no', 'such', 'cache'))).version).toBe('9.1.2')
  })
})

test('programs are found as the system finds them', () => {
  const folder = scratchFolder()
  mkdirSync(join(folder, 'a', 'tool'), { recursive: true }) // a folder of that name
  mkdirSync(join(folder, 'b'))
  mkdirSync(join(folder, 'c'))
  writeFileSync(join(folder, 'b', 'tool'), '', { mode: 0o644 }) // not executable
  writeFileSync(join(folder, 'c', 'tool'), '', { mode: 0o755 })
  expect(findProgram('tool', { PATH: `${folder}/a:${folder}/b::.:${folder}/c` })).toBe(join(folder, 'c', 'tool'))
  expect(findProgram('tool', { PATH: `${folder}/a` })).toBeNull()
  expect(findProgram('tool', {})).toBeNull()
})

test('machine types are read from QEMU’s help', () => {
  expect(parseMachineHelp('Supported machines are:\npc   Standard PC (default)\nisapc                ISA-only PC\npc-1.4 Standard PC (deprecated)\n')).toEqual([
    { name: 'pc', description: 'Standard PC', isDefault: true },
    { name: 'isapc', description: 'ISA-only PC', isDefault: false },
    { name: 'pc-1.4', description: 'Standard PC (deprecated)', isDefault: false }
  ])
})

describe('KVM', () => {
  const vmx = { model: '', virtualization: 'vmx' } as const
  const device = (mode: number): { kvm: string; architecture: string } => {
    const kvm = join(scratchFolder(), 'kvm')
    writeFileSync(kvm, '')
    chmodSync(kvm, mode)
    return { kvm, architecture: 'x86_64' }
  }

  test('needs a processor that virtualizes, even when the device opens', async () => {
    expect(await kvmAvailability({ model: '', virtualization: null }, device(0o600))).toEqual({ available: false, reason: 'the processor shows no vmx/svm' })
    expect(await kvmAvailability(vmx, device(0o600))).toMatchObject({ available: true })
  })

  test('without permission or device says what to do', async () => {
    const closed = device(0o600)
    chmodSync(join(closed.kvm, '..'), 0o755)
    const denied = process.getuid?.() === 0 ? await asNobody(() => kvmAvailability(vmx, closed)) : await kvmAvailability(vmx, { ...closed, kvm: '/dev/mem' })
    expect(denied).toMatchObject({ available: false, reason: expect.stringContaining('add yourself to the kvm group') as string })
    expect(await kvmAvailability({ model: '', virtualization: 'svm' }, { kvm: '/nowhere/kvm', architecture: 'x86_64' })).toEqual({
      available: false,
      reason: 'no /nowhere/kvm',
      install: 'sudo modprobe kvm_amd'
    })
  })

  test('another architecture cannot run x86-64 guests on its processor', async () => {
    expect(await kvmAvailability(vmx, { kvm: '/dev/kvm', architecture: 'aarch64' })).toMatchObject({ reason: 'the host is aarch64, and guests are x86_64' })
  })

  test('the flag is a word of its own in /proc/cpuinfo', () => {
    const text = (flags: string): string => `processor\t: 0\nmodel name\t: A CPU @ 2.0GHz\nflags\t\t: ${flags}\nvmx flags\t: vnmi\n`
    expect(parseCpuInfo(text('fpu vmx sse'))).toEqual({ model: 'A CPU @ 2.0GHz', virtualization: 'vmx' })
    expect(parseCpuInfo(text('fpu svm'))).toMatchObject({ virtualization: 'svm' })
    expect(parseCpuInfo(text('fpu svm_lock vmx_ept'))).toMatchObject({ virtualization: null })
  })
})

test('UEFI firmware is found only with both its parts', async () => {
  const folder = scratchFolder()
  const firmware = [{ code: join(folder, 'CODE.fd'), variables: join(folder, 'VARS.fd') }]
  writeFileSync(join(folder, 'CODE.fd'), '')
  expect(await findFirmware({ firmware })).toBeNull()
  writeFileSync(join(folder, 'VARS.fd'), '')
  expect(await findFirmware({ firmware })).toEqual(firmware[0])
})

test('a bridge needs the helper, its setuid bit and a rule', async () => {
  const folder = scratchFolder()
  const helper = join(folder, 'helper')
  const system = { bridgeHelpers: [join(folder, 'none'), helper], bridgeRules: join(folder, 'bridge.conf'), networkDevices: join(folder, 'net') }
  expect(await bridgeAvailability(system)).toMatchObject({ available: false, install: 'sudo apt-get install qemu-system-common' })
  writeFileSync(helper, '', { mode: 0o755 })
  chmodSync(folder, 0o755)
  const asUser = await asNobody(() => bridgeAvailability(system))
  if (process.getuid?.() !== 0) expect(asUser).toMatchObject({ available: false, install: `sudo chmod u+s ${helper}` })
  chmodSync(helper, 0o4755)
  mkdirSync(join(folder, 'net', 'virbr0', 'bridge'), { recursive: true })
  mkdirSync(join(folder, 'net', 'eth0'))
  expect(await bridgeAvailability(system)).toMatchObject({ available: false, install: `echo "allow virbr0" | sudo tee --append ${system.bridgeRules}` })
  writeFileSync(system.bridgeRules, '# allow br9\ndeny all\n')
  expect(await bridgeAvailability(system)).toMatchObject({ available: false, reason: `no bridge is allowed in ${system.bridgeRules}` })
  writeFileSync(system.bridgeRules, 'allow br0\n  allow virbr0\n')
  expect(await bridgeAvailability(system)).toEqual({ available: true, detail: 'allowed: br0, virbr0; the host has virbr0' })
})

test('load is the busy share between two readings', async () => {
  const file = join(scratchFolder(), 'stat')
  expect(parseCpuTimes('cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 ...')).toEqual({ busy: 20, total: 100 })
  writeFileSync(file, 'cpu  10 0 10 70 10 0 0 0 0 0\n')
  const load = new CpuLoad(file)
  expect(await load.read()).toBeCloseTo(0.2)
  writeFileSync(file, 'cpu  60 0 10 120 10 0 0 0 0 0\n')
  expect(await load.read()).toBeCloseTo(0.2) // too soon to tell
  await new Promise((resolve) => setTimeout(resolve, 520))
  expect(await load.read()).toBeCloseTo(0.5)
})
