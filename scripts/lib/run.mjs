import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import { TOP } from './paths.mjs'

/** An expected failure of a step: what happened, the last lines of the output, and what to do about it. */
export class StepError extends Error {
  /** @param {string} message one sentence @param {{ output?: string[], next?: string, cause?: unknown }} [details] */
  constructor(message, { output = [], next = '', cause } = {}) {
    super(message, { cause })
    this.name = 'StepError'
    this.output = output
    this.next = next
  }
}

const TAIL_LINES = 20
/** Where in a tool's own source an error was made helps nobody who looks for what to mend. */
const STACK_FRAME = /^\s+at .*(:\d+:\d+\)?|<anonymous>.*)$/

/**
 * Runs a program to its end. Its output goes to `onLine`, line by line, and its last lines into the error when it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => unknown, statusFd?: boolean, next?: string }} [options]
 *   `onLine`: may answer false to have the line forgotten; `statusFd`: descriptor 3 of the program is read as well, into `onLine`
 * @returns {Promise<string>} what it wrote to stdout
 */
export async function run(command, args, { cwd, env, onLine = () => {}, statusFd = false, next = '' } = {}) {
  const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe', ...(statusFd ? ['pipe'] : [])] })
  const stop = endWithUs(child)
  const tail = []
  const stdout = []
  const read = (stream, sink) =>
    createInterface({ input: stream }).on('line', (line) => {
      const plain = stripVTControlCharacters(line)
      if (onLine(plain) !== false) sink(plain)
    })
  const keep = (line) => {
    if (line.trim() && !STACK_FRAME.test(line) && tail.push(line) > TAIL_LINES) tail.shift()
  }
  read(child.stdout, (line) => {
    stdout.push(line)
    keep(line)
  })
  read(child.stderr, keep)
  if (statusFd) read(child.stdio[3], () => {})
  try {
    const { code, signal } = await ended(child)
    if (code !== 0) {
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`
      throw new StepError(`\`${shown(command, args)}\` ${how}.`, { output: tail, next })
    }
    return stdout.join('\n')
  } finally {
    stop()
  }
}

/** The command as one would type it in the checkout. */
const shown = (command, args) =>
  [command === process.execPath ? 'node' : command, ...args].map((word) => word.replace(`${TOP}/`, '')).join(' ')

/** Waits until a child has ended and its output is complete. A program that cannot be started at all is a StepError. */
export function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new StepError(`${child.spawnfile} could not be started: ${cause.message}.`, { cause })))
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}

const alive = new Set()
/** Ends the child when this process is told to end. Answers the function that forgets it again. */
export function endWithUs(child) {
  alive.add(child)
  return () => alive.delete(child)
}

const atExit = new Set()
/** Runs a synchronous clean-up when this process ends, in whichever way it can notice. Answers the function that forgets it. */
export function onExit(cleanUp) {
  atExit.add(cleanUp)
  return () => atExit.delete(cleanUp)
}
process.on('exit', () => {
  for (const child of alive) child.kill('SIGTERM')
  for (const cleanUp of [...atExit].reverse()) cleanUp()
})

/**
 * Ctrl+C and friends end this process with the usual code, after the clean-ups. Programs with an orderly end of their own do
 * not call this.
 */
export function exitOnSignals() {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129]
  ])
    process.on(signal, () => process.exit(code))
}
