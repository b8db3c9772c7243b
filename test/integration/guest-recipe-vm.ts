import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

const top = resolve(import.meta.dirname, '../..')
export const buildScript = join(top, 'resources/guest/build.sh')
const guest = join(top, 'out/guest')

interface GuestManifest {
  recipeHash: string
  kernel: string
  initrd: string
  base: string
  baseFormat: string
  commandLine: string
}

/** The guest in out/guest; builds it first where there is none. */
export function builtGuest(): GuestManifest {
  const manifest = join(guest, 'guest.json')
  if (!existsSync(manifest)) execFileSync('bash', [buildScript, guest], { stdio: 'inherit' })
  return JSON.parse(readFileSync(manifest, 'utf8')) as GuestManifest
}

/** A line of JSON each way: QMP and the guest agent both speak so. */
class JsonLines {
  private rest = ''
  private readonly lines: Record<string, unknown>[] = []
  private wake = (): void => undefined

  constructor(private readonly socket: Socket) {
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      const parts = (this.rest + text).split('\n')
      this.rest = parts.pop() ?? ''
      for (const part of parts) this.lines.push(JSON.parse(part) as Record<string, unknown>)
      this.wake()
    })
    // The end of QEMU is noticed by its exit, not here.
    socket.on('error', () => undefined)
  }

  send(execute: string, args: object = {}): void {
    this.socket.write(`${JSON.stringify({ execute, arguments: args })}\n`)
  }

  /** The next answer; events are passed over. */
  async answer(): Promise<unknown> {
    for (;;) {
      const line = this.lines.shift()
      if (!line) await new Promise<void>((resolve) => (this.wake = resolve))
      else if ('error' in line) throw new Error(JSON.stringify(line.error))
      else if (!('event' in line)) return line.return ?? line
    }
  }
}

/** A running built-in guest: its QEMU, agent, monitor and serial console. */
export class GuestVm {
  private constructor(
    readonly qemu: ChildProcess,
    private readonly agentLines: JsonLines,
    private readonly monitor: JsonLines,
    readonly console: Socket,
    private readonly consoleLog: string,
    /** Exit code, or the signal's name. */
    readonly ended: Promise<number | string>
  ) {}

  /** A new overlay on the guest's base. */
  static createDisk(folder: string, size: string): string {
    const { base, baseFormat } = builtGuest()
    const disk = join(folder, 'disk.qcow2')
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', join(guest, base), '-F', baseFormat, disk, size])
    return disk
  }

  /** Starts a guest on this disk and waits for its agent. It is killed when the test ends. */
  static async boot(folder: string, disk: string, hostname: string): Promise<GuestVm> {
    const { kernel, initrd, commandLine } = builtGuest()
    const socket = (name: string): string => `socket,id=${name},path=${join(folder, name)},server=on,wait=off`
    const consoleLog = join(folder, 'console.log')
    const qemu = spawn(
      'qemu-system-x86_64',
      [
        ...['-nodefaults', '-no-user-config', '-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max,-erms', '-smp', '2', '-m', '256M'],
        ...['-kernel', join(guest, kernel), '-initrd', join(guest, initrd), '-append', `${commandLine} strata.hostname=${hostname}`],
        ...['-blockdev', `driver=qcow2,node-name=disk0,file.driver=file,file.filename=${disk}`, '-device', 'virtio-blk-pci,drive=disk0'],
        ...['-chardev', socket('agent'), '-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
        ...['-chardev', `${socket('serial')},logfile=${consoleLog}`, '-serial', 'chardev:serial'],
        ...['-netdev', 'user,id=net0', '-device', 'virtio-net-pci,netdev=net0,romfile='],
        ...['-device', 'virtio-rng-pci', '-device', 'virtio-balloon-pci', '-device', 'VGA', '-display', 'none'],
        ...['-chardev', socket('qmp'), '-mon', 'chardev=qmp,mode=control']
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] }
    )
    const ended = new Promise<number | string>((resolve) => qemu.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown')))
    onTestFinished(async () => {
      qemu.kill('SIGKILL')
      await ended
    })

    const monitor = new JsonLines(await connect(join(folder, 'qmp'), qemu))
    await monitor.answer()
    monitor.send('qmp_capabilities')
    await monitor.answer()
    const console = await connect(join(folder, 'serial'), qemu)
    // A console that nobody reads would make the guest wait.
    console.resume()
    const vm = new GuestVm(qemu, new JsonLines(await connect(join(folder, 'agent'), qemu)), monitor, console, consoleLog, ended)
    await vm.agent('guest-ping')
    return vm
  }

  /** Asks the agent, and waits for its answer. */
  async agent(command: string, args: object = {}): Promise<unknown> {
    this.agentLines.send(command, args)
    return this.agentLines.answer()
  }

  /** Tells the agent what has no answer: the guest goes down. */
  tellAgent(command: string): void {
    this.agentLines.send(command)
  }

  async qmp(command: string, args: object = {}): Promise<unknown> {
    this.monitor.send(command, args)
    return this.monitor.answer()
  }

  /** Output of a shell command in the guest, which must succeed. */
  async run(command: string): Promise<string> {
    const { pid } = (await this.agent('guest-exec', { path: '/bin/sh', arg: ['-c', command], 'capture-output': true })) as { pid: number }
    for (;;) {
      const status = (await this.agent('guest-exec-status', { pid })) as { exited: boolean; exitcode?: number; 'out-data'?: string; 'err-data'?: string }
      if (status.exited) {
        if (status.exitcode !== 0) throw new Error(`${command}: exit code ${status.exitcode}: ${decoded(status['err-data'])}`)
        return decoded(status['out-data']).trim()
      }
      await sleep(50)
    }
  }

  /** All that the guest has written on its serial console. */
  consoleOutput(): string {
    return readFileSync(this.consoleLog, 'utf8')
  }
}

const decoded = (base64 = ''): string => Buffer.from(base64, 'base64').toString()

/** QEMU offers no event that says its sockets are there: they are tried until one is, or QEMU has ended. */
async function connect(path: string, qemu: ChildProcess): Promise<Socket> {
  while (qemu.exitCode === null) {
    const socket = createConnection(path)
    const connected = await new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)))
    if (connected) return socket
    await sleep(10)
  }
  throw new Error('QEMU ended before it listened.')
}

/** Tries until it holds; the test's own time-out ends the wait. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(100)
}
