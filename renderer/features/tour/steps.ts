import { call, closeOverlay, goTo, goToMachine, openOverlay, useMachines } from '../../app'
import { appeared, chooseView, need, needTask, pasteIntoTerminal, runInGuest, typeIntoConsole, waitForAgent, writeInGuest } from './actions'
import { endShares, stopRing, TOUR_LAB, TOUR_NAMES, type TourMachines } from './machines'

/** One stop of the tour: what is said, and what is done, through the same operations and places as a user's. */
export interface Step {
  /** Of its picture's file: lower case, digits and hyphens. */
  label: string
  title: string
  text: string
  act: (tour: TourMachines) => Promise<void>
  /** How long it is shown before the picture, for what needs a moment to fill: charts, a screen. */
  settleMs?: number
}

export const steps: readonly Step[] = [
  {
    label: 'welcome',
    title: 'This is Strata',
    text: 'Virtual machines on your own computer. The tour makes two, shows what can be seen of them, and takes them away again.',
    act: async () => {
      closeOverlay()
      goTo({ kind: 'home' })
      await Promise.resolve()
    }
  },
  {
    label: 'create-wizard',
    title: 'A machine in a few clicks',
    text: 'A name and a source are enough: the defaults boot unedited. The last step shows the same as a command line.',
    act: async () => {
      openOverlay({ kind: 'create' })
      await Promise.resolve()
    },
    settleMs: 600
  },
  {
    label: 'two-machines',
    title: 'Two machines start',
    text: 'Both stand on the built-in guest: their disks are overlays, so making one takes no time and almost no space.',
    act: async (tour) => {
      closeOverlay()
      tour.first = await needTask('machine.create', { name: TOUR_NAMES[0], tag: ['tour'], sharedMemory: true, network: ['user', 'isolated:tour'] })
      tour.second = await needTask('machine.create', { name: TOUR_NAMES[1], tag: ['tour'], network: ['isolated:tour'] })
      goToMachine(tour.first, 'overview')
      await need('machine.start', { machine: tour.second })
      await needTask('machine.start', { machine: tour.first, wait: 'agent' })
    }
  },
  {
    label: 'overview',
    title: 'What it does now',
    text: 'Processor, memory, disk and network as they are used; the addresses its guest has; the layers its disk is made of.',
    act: async (tour) => {
      goToMachine(tour.first, 'overview')
      await call('guest.exec', {
        machine: tour.first,
        command: ['sh', '-c', 'dd if=/dev/urandom of=/root/noise bs=1M count=24; sync'],
        timeoutSeconds: 60
      })
    },
    settleMs: 5000
  },
  {
    label: 'console',
    title: 'Its console',
    text: 'The serial line from the first byte on, also of what was printed before anybody looked. Find, copy, paste, save.',
    act: async (tour) => {
      goToMachine(tour.first, 'console')
      await typeIntoConsole(tour.first, 'uname -a; df -h /')
    },
    settleMs: 800
  },
  {
    label: 'display',
    title: 'Its screen',
    text: 'What a monitor plugged into it would show. It travels over a private socket; nothing is open to the network.',
    act: async (tour) => {
      goToMachine(tour.first, 'display')
      await Promise.resolve()
    },
    settleMs: 1500
  },
  {
    label: 'snapshot',
    title: 'Back to an instant',
    text: 'A snapshot holds memory, devices and disks as of one instant, while the guest goes on. Here the machine went back to one; what it was before is kept, too.',
    act: async (tour) => {
      goToMachine(tour.second, 'snapshots')
      const { byId } = useMachines.getState()
      if (byId[tour.second]?.agent !== true) await waitForAgent(tour.second)
      tour.snapshot = await needTask('snapshot.take', { machine: tour.second, name: 'ready', note: 'Before the exercise' })
      await needTask('snapshot.restore', { snapshot: tour.snapshot })
    },
    settleMs: 800
  },
  {
    label: 'class-lab',
    title: 'A class from one snapshot',
    text: 'Three machines that go on from that instant, each with an identity of its own. They share what none of them changes, and each is made anew in a moment.',
    act: async (tour) => {
      goTo({ kind: 'labs' })
      if (tour.snapshot !== null) await needTask('lab.deploy', { from: tour.snapshot, count: 3, prefix: TOUR_LAB })
    },
    settleMs: 2500
  },
  {
    label: 'share-dialog',
    title: 'A disk for another machine',
    text: 'A disk is dragged onto another machine, or shared from its menu. The dialog says who can have it, who may write, and why not.',
    act: async (tour) => {
      goToMachine(tour.second, 'disks')
      await needTask('disk.create', { machine: tour.second, size: '64M' })
      await runInGuest(tour.second, 'mkfs.ext4 -q /dev/vdb && mkdir -p /mnt/lesson && mount /dev/vdb /mnt/lesson && echo hello > /mnt/lesson/hello.txt && sync')
      openOverlay({ kind: 'share', machine: tour.second, disk: 'disk1', to: tour.first })
      await appeared('the dialog', () => document.querySelector('[role=dialog] input[type=radio]'))
    },
    settleMs: 600
  },
  {
    label: 'shares',
    title: 'Shared while both run',
    text: 'Its QEMU serves the disk to the other one’s, through memory that they share. Who has it, and how much is read and written, is seen live.',
    act: async (tour) => {
      closeOverlay()
      goTo({ kind: 'shares' })
      const share = await needTask('share.create', { disk: `${tour.second}:disk1`, to: [tour.first], mode: 'ro' })
      await needTask('share.mount', { share, machine: tour.first })
      // Reads for as long as it is looked at.
      await runInGuest(tour.first, 'timeout 9 sh -c "while dd if=/dev/vdb of=/dev/null bs=64k iflag=direct; do :; done" >/dev/null 2>&1 &')
    },
    settleMs: 5000
  },
  {
    label: 'monitor',
    title: 'QEMU’s monitor',
    text: 'QEMU’s own words, with history and completion. Here: which files its disk is made of.',
    act: async (tour) => {
      goToMachine(tour.first, 'monitor')
      await endShares([tour.second])
      await pasteIntoTerminal('info block\n')
    },
    settleMs: 800
  },
  {
    label: 'qmp',
    title: 'What programs say to it',
    text: 'The QMP messages between Strata and QEMU as they happen, and a line to send one’s own. Each can be unfolded.',
    act: async (tour) => {
      goToMachine(tour.first, 'monitor')
      await chooseView('QMP')
      // What the window itself asks for again and again is hidden there: these are not.
      for (const command of ['query-version', 'query-memory-size-summary', 'query-hotpluggable-cpus']) await need('qmp.run', { machine: tour.first, command })
    },
    settleMs: 800
  },
  {
    label: 'machine-settings',
    title: 'What it is made of',
    text: 'What is changed while it runs takes effect at its next start, and is marked until then.',
    act: async (tour) => {
      await need('machine.edit', { machine: tour.first, memory: '384M' })
      goToMachine(tour.first, 'settings')
    },
    settleMs: 500
  },
  {
    label: 'commit',
    title: 'A commit',
    text: 'What the guest has written becomes a fixed point. Nothing is copied: its layer is sealed, and an empty one put on top.',
    act: async (tour) => {
      goToMachine(tour.first, 'disks')
      await writeInGuest(tour.first, 'notes', 6)
      await needTask('overlay.commit', { machine: tour.first, disk: 'disk0', note: 'notes written' })
      await writeInGuest(tour.first, 'more', 16)
    },
    settleMs: 1500
  },
  {
    label: 'x-ray',
    title: 'What QEMU does with them',
    text: 'The X-ray shows it live: a read is served by the layer that holds the data, a write goes to the active one.',
    act: async (tour) => {
      const button = await appeared('the X-ray’s button', () => document.querySelector<HTMLButtonElement>('main button[aria-pressed][data-xray]'))
      button.click()
      await appeared('the X-ray', () => document.querySelector('main section[aria-label="X-ray"] table'))
      await writeInGuest(tour.first, 'seen', 4)
    },
    settleMs: 1000
  },
  {
    label: 'renew',
    title: 'Renewed under the running guest',
    text: 'The same, from its dialog: what is now, what will be. The guest goes on writing meanwhile, and notices nothing.',
    act: async (tour) => {
      openOverlay({ kind: 'disk', action: 'renew', machine: tour.first, disk: 'disk0' })
      await appeared('the dialog', () => document.querySelector('[role=dialog] figure'))
    },
    settleMs: 500
  },
  {
    label: 'undo',
    title: 'Any commit can be undone',
    text: 'One chooses a point of the history; what lies above it is set aside, and can be had again. The machine has to be off for it.',
    act: async (tour) => {
      closeOverlay()
      await needTask('overlay.renew', { machine: tour.first, disk: 'disk0', note: 'a mistake' })
      openOverlay({ kind: 'disk', action: 'undo', machine: tour.first, disk: 'disk0' })
      await appeared('the dialog', () => document.querySelector('[role=dialog] figure'))
    },
    settleMs: 500
  },
  {
    label: 'undone',
    title: 'As it was before',
    text: 'The mistake lies beside the disk now. Redo puts it back; the next commit gives it up.',
    act: async (tour) => {
      closeOverlay()
      await needTask('machine.stop', { machine: tour.first, force: true })
      await needTask('overlay.undo', { machine: tour.first, disk: 'disk0', discard: true })
    },
    settleMs: 800
  },
  {
    label: 'ring',
    title: 'A split driver at work',
    text: 'Three clients read a disk image through rings in shared memory, as guests of Xen do. Producers run ahead, consumers follow.',
    act: async (tour) => {
      goTo({ kind: 'ring' })
      // Where it could not be built, the disk has no direct reads, or somebody uses it, the screen itself shows what is so.
      if (!(await call('ring.start', {})).ok) return
      const load = await call('ring.load', { clients: 3, threads: 4, requests: 200_000 })
      tour.ringLoad = load.ok ? load.value.taskId : null
      await appeared('a ring', () => document.querySelector('main [aria-label^="Ring of client"]'))
    },
    settleMs: 2500
  },
  {
    label: 'disks',
    title: 'All disks',
    text: 'Every image file of the library: images as ground, on them the disks of all machines, each layer as thick as it is large.',
    act: async (tour) => {
      goTo({ kind: 'disks' })
      await stopRing(tour)
    },
    settleMs: 600
  },
  {
    label: 'images',
    title: 'Images',
    text: 'What machines are made from: the built-in guest, ISOs, disk and cloud images. Strata never writes to them.',
    act: async () => {
      goTo({ kind: 'images' })
      await Promise.resolve()
    },
    settleMs: 400
  },
  {
    label: 'tasks',
    title: 'Tasks',
    text: 'Whatever takes a while: how far it is, its log, and a way to cancel it.',
    act: async () => {
      goTo({ kind: 'tasks', taskId: null })
      await Promise.resolve()
    },
    settleMs: 400
  },
  {
    label: 'palette',
    title: 'Everything by keyboard',
    text: 'Ctrl+K finds every command and every machine. F1 lists the shortcuts.',
    act: async () => {
      openOverlay({ kind: 'palette' })
      await Promise.resolve()
    },
    settleMs: 400
  },
  {
    label: 'settings',
    title: 'Settings and trash',
    text: 'Deleted machines wait in the trash until you delete them for good.',
    act: async () => {
      closeOverlay()
      goTo({ kind: 'settings' })
      await Promise.resolve()
    },
    settleMs: 400
  }
]
