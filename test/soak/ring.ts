/**
 * npm run -s soak -- ring [MINUTES]: hostile clients of every kind at one service for ten minutes, while honest ones come, read and
 * compare. Ends with what the service still holds: what it held before.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copySources, make, RingLab, until } from '../support/ring'

const KINDS = ['scribble', 'scribble', 'overrun', 'nonsense', 'silent', 'leave', 'lines', 'memory', 'lock']
const seconds = Number(process.argv[2] ?? 10) * 60
const programs = copySources()
const lab = new RingLab(programs, mkdtempSync(join(tmpdir(), 'strata-ring-soak-')))

async function honest(threads: number, end: number): Promise<{ clients: number; failed: number }> {
  const result = { clients: 0, failed: 0 }
  while (Date.now() < end) {
    const { code, said, pid } = await lab.run('client', threads, 2000)
    const wrong = code === 0 ? lab.wrongSectors(pid) : -1
    if (wrong !== 0) process.stderr.write(`client ${pid}: code ${code}, ${wrong} wrong sectors. ${said}\n`)
    result.clients++
    if (wrong !== 0) result.failed++
    for (const kind of ['sectors', 'read']) rmSync(join(lab.folder, `${kind}.${pid}`), { force: true })
  }
  return result
}

async function main(): Promise<void> {
  try {
    make(programs)
    make(programs, 'tools')
    lab.image(32 * 2 ** 20)
    await lab.run('service', 'start')
    const before = lab.held()
    const end = Date.now() + seconds * 1000
    const hostile = KINDS.map((kind, n) => lab.run('hostile', kind, seconds, (Date.now() + n) % 1_000_003))
    const done = await Promise.all([honest(1, end), honest(8, end), honest(48, end)])
    const crashed = (await Promise.all(hostile)).filter((one) => one.code !== 0).length
    await until(() => lab.held().rings === 0).catch(() => undefined)
    const after = lab.held()
    const stopped = await lab.run('service', 'stop')
    const clients = done.reduce((sum, one) => sum + one.clients, 0)
    const failed = done.reduce((sum, one) => sum + one.failed, 0)
    const passed = failed === 0 && crashed === 0 && stopped.code === 0 && JSON.stringify(before) === JSON.stringify(after)
    process.stdout.write(JSON.stringify({ soak: 'ring', seconds, clients, failed, crashed, before, after, said: stopped.out.trim(), passed }) + '\n')
    process.exitCode = passed ? 0 : 1
  } finally {
    await lab.run('service', 'stop').catch(() => undefined)
    lab.remove()
    rmSync(programs, { recursive: true, force: true })
  }
}
void main()
