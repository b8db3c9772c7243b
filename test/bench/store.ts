/**
 * npm run -s bench -- store [RUNS]: the RAM of four machines, booted one by one and put to different work, is saved and loaded back; against
 * restic and borg, by turns. Then the RAM of one machine that goes on working, 150 times in a row, and one of them loaded back cold.
 * Each side begins with an empty store. Chunk sizes are compared on the same files.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Store } from '#core/store/store'
import { experiment } from '#core/store/experiment'
import { digestOf } from '../support/store'
import { emit, median, progress, rounded } from './support/figures'
import { timed, withLab, type BenchLab } from './support/lab'

const MiB = 2 ** 20
const RAM_MIB = 256
const SNAPSHOTS = 150
/** What the four machines do, each its own, so that they have in common what machines of a course have. */
const WORK = [
  'find / -xdev -type f | head -400 | xargs cat > /tmp/all 2>/dev/null; ls -lR / > /tmp/list 2>/dev/null',
  'dd if=/dev/urandom of=/tmp/random bs=1M count=8; tar cf - /bin /etc 2>/dev/null | gzip > /tmp/x.tgz',
  "awk 'BEGIN { for (i = 0; i < 200000; i++) a[i] = i * 3; print length(a) }'; seq 1 200000 > /tmp/numbers",
  'for i in $(seq 500); do echo "line $i of a log" >> /tmp/log; done; sort -r /tmp/log | md5sum; cat /usr/bin/* > /dev/null 2>&1'
]
/** What the machine that is saved again and again does. */
const BUSY = 'while :; do date; ls -lR /etc | md5sum; dd if=/dev/urandom of=/tmp/now bs=64k count=4 2>/dev/null; sleep 0.2; done > /tmp/log 2>&1 &'
const runs = Number(process.argv[2] ?? 3)

const guest = (lab: BenchLab, machine: string, script: string) => lab.call('guest.exec', { machine, command: ['sh', '-c', script] })

/** A machine's RAM as a sparse file: all of it at one instant, while the machine stands still. */
async function saveRam(lab: BenchLab, machine: string, path: string): Promise<void> {
  await lab.call('machine.pause', { machine })
  await lab.call('qmp.run', { machine, command: 'pmemsave', arguments: { val: 0, size: RAM_MIB * MiB, filename: path } })
  await lab.call('machine.resume', { machine })
  execFileSync('fallocate', ['--dig-holes', path])
}

async function fourImages(lab: BenchLab, folder: string): Promise<void> {
  for (const [i, work] of WORK.entries()) {
    const name = `vm${i}`
    await lab.done('machine.create', { name, memory: `${RAM_MIB}M` })
    await lab.done('machine.start', { machine: name, wait: 'agent' })
    await guest(lab, name, work)
    await saveRam(lab, name, join(folder, `${name}.ram`))
    await lab.done('machine.stop', { machine: name, force: true })
    progress(`RAM of ${name} is there`)
  }
}

const sizeMiB = (folder: string): number => Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]) / 1024

interface Side {
  name: string
  /** What is there to install when it cannot be started. */
  program?: string
  prepare(home: string): Promise<void> | void
  save(home: string, images: string): Promise<void> | void
  load(home: string, images: string, out: string): Promise<void> | void
}
interface Figures {
  saveMs: number
  loadMs: number
  sizeMiB: number
}

function command(program: string, args: string[], cwd: string, home: string): void {
  const own = { RESTIC_PASSWORD: 'bench', RESTIC_CACHE_DIR: join(home, 'cache'), BORG_BASE_DIR: join(home, 'borg'), BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes' }
  const { status, stderr } = spawnSync(program, args, { cwd, env: { ...process.env, ...own }, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}

const restic: Side = {
  name: 'restic',
  program: 'restic',
  prepare: (home) => command('restic', ['init', '-q', '-r', join(home, 'store')], home, home),
  save: (home, images) => command('restic', ['backup', '-q', '-r', join(home, 'store'), '.'], images, home),
  load: (home, images, out) => command('restic', ['restore', '-q', '-r', join(home, 'store'), 'latest', '--target', out], images, home)
}
const borg: Side = {
  name: 'borg (lz4)',
  program: 'borg',
  prepare: (home) => command('borg', ['init', '-e', 'none', join(home, 'store')], home, home),
  save: (home, images) => command('borg', ['create', '-C', 'lz4', `${join(home, 'store')}::all`, '.'], images, home),
  load: (home, _images, out) => command('borg', ['extract', '--sparse', `${join(home, 'store')}::all`], out, home)
}
/** An archive an image, one after the other, as snapshots are taken. */
const strata: Side = {
  name: 'strata',
  prepare: () => {},
  async save(home, images) {
    const store = new Store(join(home, 'store'))
    for (const name of readdirSync(images)) await store.put(name, [{ name, path: join(images, name) }])
    await store.close()
  },
  async load(home, images, out) {
    const store = new Store(join(home, 'store'))
    for (const name of readdirSync(images)) await store.get(name, out)
    await store.close()
  }
}

/** Everybody is asked the same: what is loaded has to be what was saved. */
async function measure(side: Side, folder: string, images: string): Promise<Figures> {
  const home = mkdtempSync(join(folder, 'side-'))
  const out = join(home, 'out')
  mkdirSync(out)
  await side.prepare(home)
  const saveMs = await timed(() => side.save(home, images))
  const size = sizeMiB(join(home, 'store'))
  const loadMs = await timed(() => side.load(home, images, out))
  const loaded = execFileSync('find', [out, '-name', '*.ram'], { encoding: 'utf8' }).trim().split('\n')
  const same = loaded.length === WORK.length && loaded.every((path) => digestOf(path) === digestOf(join(images, path.slice(path.lastIndexOf('/') + 1))))
  if (!same) throw new Error(`${side.name} did not load what was saved`)
  rmSync(home, { recursive: true })
  return { saveMs, loadMs, sizeMiB: size }
}

async function compare(folder: string, images: string): Promise<Record<string, unknown>> {
  const sides = [strata, restic, borg].filter(({ program, name }) => {
    const there = program === undefined || spawnSync(program, ['help']).error === undefined
    if (!there) progress(`${name} is not installed and left out: sudo apt-get install restic borgbackup`)
    return there
  })
  const all = new Map<Side, Figures[]>(sides.map((side) => [side, []]))
  for (let run = 0; run < runs; run++) {
    for (const side of run % 2 === 0 ? sides : [...sides].reverse()) {
      const figures = await measure(side, folder, images)
      all.get(side)!.push(figures)
      progress(`${side.name} ${run + 1}/${runs}: saved in ${Math.round(figures.saveMs)} ms, loaded in ${Math.round(figures.loadMs)} ms, ${figures.sizeMiB.toFixed(1)} MiB`)
    }
  }
  const of = (side: Side, key: keyof Figures): number => median(all.get(side)!.map((figures) => figures[key]))
  const rows = sides.map((side) => ({ name: side.name, saveMs: rounded(of(side, 'saveMs'), 0), loadMs: rounded(of(side, 'loadMs'), 0), sizeMiB: rounded(of(side, 'sizeMiB'), 1) }))
  const [ours, theirs] = rows
  const ratios = theirs?.name === 'restic' ? { saveOfRestic: rounded(ours!.saveMs / theirs.saveMs), loadTimesFaster: rounded(theirs.loadMs / ours!.loadMs), sizeOfRestic: rounded(ours!.sizeMiB / theirs.sizeMiB) } : {}
  return { rows, ...ratios }
}

/** Takes the files of a folder out of the page cache. */
function forget(folder: string): void {
  for (const path of execFileSync('find', [folder, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n')) execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'])
}

async function inARow(lab: BenchLab, folder: string): Promise<Record<string, number>> {
  await lab.done('machine.start', { machine: 'vm0', wait: 'agent' })
  await guest(lab, 'vm0', `${BUSY} sleep 1`)
  const store = new Store(join(folder, 'row'))
  const [path, took]: [string, number[]] = [join(folder, 'row.ram'), []]
  for (let i = 0; i < SNAPSHOTS; i++) {
    await saveRam(lab, 'vm0', path)
    took.push(await timed(() => store.put(`snapshot ${i}`, [{ name: 'ram', path }])))
    if (i < SNAPSHOTS - 1) rmSync(path)
    if (i % 25 === 24) progress(`${i + 1} snapshots: ${sizeMiB(join(folder, 'row')).toFixed(1)} MiB, the last one saved in ${Math.round(took.at(-1)!)} ms`)
  }
  await store.close()
  await lab.done('machine.stop', { machine: 'vm0', force: true })
  const cold: number[] = []
  for (let run = 0; run < 5; run++) {
    const out = mkdtempSync(join(folder, 'cold-'))
    execFileSync('sync')
    forget(join(folder, 'row'))
    const fresh = new Store(join(folder, 'row'))
    cold.push(await timed(() => fresh.get(`snapshot ${SNAPSHOTS - 1}`, out)))
    await fresh.close()
    if (digestOf(join(out, 'ram')) !== digestOf(path)) throw new Error('what was loaded is not what was saved')
    rmSync(out, { recursive: true })
  }
  return { snapshots: SNAPSHOTS, storedMiB: rounded(sizeMiB(join(folder, 'row')), 1), saveMs: rounded(median(took), 0), coldLoadMs: rounded(median(cold), 0) }
}

async function main(): Promise<void> {
  await withLab(async (lab) => {
    const [folder, images] = [join(lab.home, 'bench'), join(lab.home, 'images')]
    for (const one of [folder, images]) mkdirSync(one)
    await fourImages(lab, images)
    const files = readdirSync(images).map((name) => ({ name, path: join(images, name) }))
    const dataMiB = rounded(sizeMiB(images), 1)
    const compared = await compare(folder, images)
    const chunks = await experiment(join(folder, 'experiment'), files, [4096, 16384, 65536, MiB], {}, (row) => progress(`chunks of ${row.chunkBytes / 1024} KiB: ${(row.storedBytes / MiB).toFixed(1)} MiB`))
    const row = await inARow(lab, folder)
    emit('store', { runs, dataMiB, ...compared, inARow: row, chunkSizes: chunks.map(({ chunkBytes, storedBytes, saveMs, loadMs }) => ({ chunkKiB: chunkBytes / 1024, storedMiB: rounded(storedBytes / MiB, 1), saveMs: rounded(saveMs, 0), loadMs: rounded(loadMs, 0) })) })
  })
}
void main()
