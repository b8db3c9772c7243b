// What `electron FOLDER` runs where the runtime came without Electron's own default app: takes the same arguments
// (-r MODULE, --version, then a folder or file) and hands over to the app in that folder.
'use strict'
const { existsSync, readFileSync, statSync } = require('node:fs')
const Module = require('node:module')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { app } = require('electron')

function readArguments(args) {
  const preload = []
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '-r' || args[i] === '--require') preload.push(args[++i])
    else if (args[i] === '-v' || args[i] === '--version') return { version: true }
    else if (args[i].startsWith('--app=')) return { preload, target: args[i].slice('--app='.length) }
    else if (!args[i].startsWith('-')) return { preload, target: args[i] }
  }
  return { preload }
}

function entryOf(folder) {
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  app.setAppPath(folder)
  app.setName(manifest.productName ?? manifest.name)
  if (manifest.version) app.setVersion(manifest.version)
  if (manifest.desktopName) app.setDesktopName(manifest.desktopName)
  return path.resolve(folder, manifest.main ?? 'index.js')
}

function isModule(file) {
  if (file.endsWith('.mjs')) return true
  for (let folder = path.dirname(file); file.endsWith('.js'); folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json')
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).type === 'module'
    if (folder === path.dirname(folder)) return false
  }
  return false
}

function start({ preload, target, version }) {
  if (version) {
    console.log('v' + process.versions.electron)
    process.exit(0)
  }
  if (!target) {
    console.error('usage: electron [options] FOLDER|FILE')
    process.exit(2)
  }
  if (preload.length) Module._preloadModules(preload)
  process.defaultApp = true
  const given = path.resolve(target)
  const isFolder = statSync(given).isDirectory()
  if (!isFolder) app.setAppPath(path.dirname(given))
  const wanted = isFolder ? entryOf(given) : given
  const entry = Module._findPath(wanted) || wanted
  if (isModule(entry)) {
    import(pathToFileURL(entry).href).catch((error) => {
      console.error(error)
      process.exit(1)
    })
    return
  }
  process._firstFileName = entry
  Module._load(entry, Module, true)
}

start(readArguments(process.argv.slice(1)))
