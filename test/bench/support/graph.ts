import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openCore, type OwnedCore } from '#core/index'
import { makeHome, Strata, TOP, type Home } from '../../support/e2e-app'
import { median, progress, rounded } from './figures'

const IMAGES = 40
const MACHINES = 80
const AT_ONCE = 10

/** What the drawing of a library takes. */
export interface Graph {
  files: number
  /** From the click to the drawing on the screen, in milliseconds: the first time in a window, and after that. */
  firstMs: number
  againMs: number
  /** Frames a second while it is scrolled, and the longest time between two. */
  framesPerSecond: number
  longestFrameMs: number
}

/** The window's drawing of a library of 200 image files, in the app, in windows that are opened anew. */
export async function measureGraph(windows: number): Promise<Graph> {
  const home = makeHome()
  try {
    progress(`making a library of ${IMAGES + 2 * MACHINES} image files`)
    await fill(home)
    const seen = []
    for (let n = 1; n <= windows; n++) {
      seen.push(await inOneWindow(home))
      progress(`graph, window ${n}/${windows}: first ${Math.round(seen.at(-1)!.firstMs)} ms, again ${seen.at(-1)!.againMs.map(Math.round).join(', ')} ms`)
    }
    const gaps = seen.flatMap((one) => one.gaps)
    return {
      files: seen[0]!.files,
      firstMs: rounded(median(seen.map((one) => one.firstMs)), 0),
      againMs: rounded(median(seen.flatMap((one) => one.againMs)), 0),
      framesPerSecond: rounded((1000 * gaps.length) / gaps.reduce((sum, gap) => sum + gap, 0), 1),
      longestFrameMs: rounded(Math.max(...gaps), 0)
    }
  } finally {
    await home.remove()
  }
}

/** Images, and machines with two layers each on half of them. */
async function fill({ folder, env }: Home): Promise<void> {
  const core = await openCore({ environment: env, builtinGuest: join(TOP, 'out/guest') })
  const alive = setInterval(() => undefined, 60_000) // nothing of the core keeps a process alive by itself
  const files = join(folder, 'images')
  mkdirSync(files)
  await inGroups(IMAGES, async (n) => {
    const path = join(files, `image ${n}.qcow2`)
    await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1G'])
    await done(core, 'image.import', { path, kind: 'disk' })
  })
  await inGroups(MACHINES, async (n) => {
    const machine = `student-${n}`
    await done(core, 'machine.create', { name: machine, source: `image ${1 + (n % (IMAGES / 2))}`, network: [] })
    await done(core, 'overlay.commit', { machine, note: `exercise ${n}` })
    await done(core, 'overlay.create', { machine })
  })
  await core.close()
  clearInterval(alive)
}

/** Acts on each of 1 to `count`, some at once. */
async function inGroups(count: number, act: (n: number) => Promise<void>): Promise<void> {
  for (let from = 1; from <= count; from += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - from + 1) }, (_, index) => act(from + index)))
  }
}

async function done(core: OwnedCore, name: string, input: object): Promise<void> {
  const answered = await core.call(name, input)
  if (!answered.ok) throw new Error(`${name}: ${JSON.stringify(answered.error)}`)
  const ended = await core.call('task.wait', { taskId: (answered.value as { taskId: string }).taskId })
  if (!ended.ok || (ended.value as { state: { kind: string } }).state.kind !== 'done') throw new Error(`${name}: ${JSON.stringify(ended)}`)
}

async function inOneWindow(home: Home): Promise<{ files: number; firstMs: number; againMs: number[]; gaps: number[] }> {
  const strata = await Strata.launch(home)
  const { page } = strata
  await page.getByRole('option', { name: 'student-1' }).first().waitFor()
  await page.waitForTimeout(1500) // the start of the app is measured by `launch`
  const firstMs = await page.evaluate(opening)
  const againMs: number[] = []
  for (let run = 0; run < 4; run++) {
    await page.getByRole('navigation').getByRole('button', { name: 'Tasks' }).first().click()
    await page.waitForTimeout(300)
    againMs.push(await page.evaluate(opening))
  }
  const gaps = await page.evaluate(scrolling)
  const files = (await strata.need('disk.list', {})).length
  // A window opens where the last one was: the next one's first drawing is not to be its opening.
  await page.getByRole('navigation').getByRole('button', { name: 'Tasks' }).first().click()
  const gone = strata.gone()
  await strata.app.close() // nothing runs that it would ask about
  await gone
  return { files, firstMs, againMs, gaps }
}

// The two that follow run in the page.

/** From a click on the place in the sidebar until the frame with the last machine's disk was shown. */
function opening(): Promise<number> {
  return new Promise((resolve) => {
    const button = [...document.querySelectorAll<HTMLElement>('nav button')].find((one) => one.textContent.trim().startsWith('Disks'))
    const from = performance.now()
    new MutationObserver((_changes, watch) => {
      if (document.querySelectorAll('main [draggable=true]').length < 80) return
      watch.disconnect()
      // After the frame that shows it: the next one's callback, and then a task.
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - from)))
    }).observe(document.querySelector('main')!, { childList: true, subtree: true })
    button!.click()
  })
}

/** Times between frames while the page goes down and up again, as fast as somebody turns a wheel. */
async function scrolling(): Promise<number[]> {
  const page = document.querySelector<HTMLElement>('main')!
  const gaps: number[] = []
  let before = performance.now()
  for (let frame = 0; frame < 240; frame++) {
    const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve))
    if (frame > 0) gaps.push(now - before)
    before = now
    page.scrollTop += frame < 120 ? 40 : -40
  }
  return gaps
}
