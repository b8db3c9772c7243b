#!/usr/bin/env node
// Stands in for `fpm -s dir -t deb`, which electron-builder would download: the options that it passes, over dpkg-deb.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const FLAGS = ['--force', '--debug']
const VALUES = [
  ...[
    '-s',
    '-t',
    '--architecture',
    '--after-install',
    '--after-remove',
    '--before-install',
    '--before-remove',
    '--description',
    '--version'
  ],
  ...[
    '--package',
    '--name',
    '--maintainer',
    '--vendor',
    '--url',
    '--category',
    '--deb-priority',
    '--deb-compression',
    '--license',
    '--iteration',
    '--log'
  ]
]
const LISTS = ['-d', '--deb-recommends']
const COMPRESSORS = { gz: 'gzip', xz: 'xz', zst: 'zstd', none: 'none' }

const given = readArguments(process.argv.slice(2))
if (given['-t'] !== 'deb') fail(`makes Debian packages only, not "${given['-t']}"`)
buildDeb(given)

function fail(message) {
  console.error(`fpm stand-in: ${message}`)
  process.exit(1)
}

/** Options by name; what has none is a mapping `source=/where/it/goes`. */
function readArguments(args) {
  const found = { maps: [], ...Object.fromEntries(LISTS.map((name) => [name, []])) }
  while (args.length > 0) {
    const word = args.shift()
    if (FLAGS.includes(word)) continue
    if (LISTS.includes(word)) found[word].push(args.shift())
    else if (VALUES.includes(word)) found[word] = args.shift()
    else if (word.startsWith('-')) fail(`unknown option ${word}`)
    else found.maps.push([word.slice(0, word.lastIndexOf('=')), word.slice(word.lastIndexOf('=') + 1)])
  }
  return found
}

function buildDeb(options) {
  const root = mkdtempSync(path.join(tmpdir(), 'strata-deb-'))
  try {
    for (const [from, to] of options.maps) place(from, path.join(root, to))
    chmodFolders(root)
    writeControl(options, root)
    const compressor = COMPRESSORS[options['--deb-compression']] ?? fail(`unknown compression ${options['--deb-compression']}`)
    execFileSync('dpkg-deb', ['--root-owner-group', `-Z${compressor}`, '--build', root, options['--package']], { stdio: 'inherit' })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** A folder (its name ends with a slash) goes in as it is; a file is a program if its source is. */
function place(from, to) {
  if (from.endsWith('/')) {
    mkdirSync(to, { recursive: true })
    cpSync(from, to, { recursive: true, verbatimSymlinks: true })
    return
  }
  mkdirSync(path.dirname(to), { recursive: true })
  copyFileSync(from, to)
  chmodSync(to, statSync(from).mode & 0o111 ? 0o755 : 0o644)
}

/** The builder's umask is not the package's: everybody can read what it installs, and only root write. */
function chmodFolders(folder) {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) chmodFolders(file)
    else if (entry.isFile()) chmodSync(file, lstatSync(file).mode & 0o111 ? 0o755 : 0o644)
  }
}

function writeControl(options, root) {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort()
  const sums = files.map((file) => `${createHash('md5').update(readFileSync(file)).digest('hex')}  ${path.relative(root, file)}\n`)
  const sizeKib = Math.ceil(files.reduce((sum, file) => sum + statSync(file).size, 0) / 1024)
  const control = path.join(root, 'DEBIAN')
  mkdirSync(control, { mode: 0o755 })
  writeFileSync(path.join(control, 'control'), controlFile(options, sizeKib), { mode: 0o644 })
  writeFileSync(path.join(control, 'md5sums'), sums.join(''), { mode: 0o644 })
  for (const [option, name] of [
    ['--before-install', 'preinst'],
    ['--after-install', 'postinst'],
    ['--before-remove', 'prerm'],
    ['--after-remove', 'postrm']
  ]) {
    if (!options[option]) continue
    copyFileSync(options[option], path.join(control, name))
    chmodSync(path.join(control, name), 0o755)
  }
}

/** deb-control(5). An empty field is left out; so is a homepage that is none. */
function controlFile(options, sizeKib) {
  const [synopsis, ...text] = options['--description'].split('\n').filter((line) => line.trim())
  const iteration = options['--iteration'] ? `-${options['--iteration']}` : ''
  const fields = {
    Package: options['--name'],
    Version: options['--version'] + iteration,
    Architecture: options['--architecture'],
    Maintainer: options['--maintainer'],
    'Installed-Size': sizeKib,
    Depends: options['-d'].join(', '),
    Recommends: options['--deb-recommends'].join(', '),
    Section: options['--category'] ?? 'admin',
    Priority: options['--deb-priority'] ?? 'optional',
    Homepage: options['--url']?.startsWith('http') ? options['--url'] : '',
    Description: [synopsis.trim(), ...text.map((line) => ` ${line.trim()}`)].join('\n')
  }
  return Object.entries(fields)
    .map(([name, value]) => (value === '' ? '' : `${name}: ${value}\n`))
    .join('')
}
