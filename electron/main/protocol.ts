import path from 'node:path'
import type { ProtocolResponse } from 'electron'
import { ORIGIN } from './origin'

/**
 * Serves the window's files as app://bundle/. No file: URL is ever loaded, so the page has an origin of its own that IPC and
 * the content security policy can be tied to.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  // xterm.js, noVNC and radix-ui place elements by style attributes and style elements of their own.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin'
}

/** Only what a bundle consists of is served. */
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8'
}

/** The file under `root` that a URL means, or null: another host, a way out of the folder, a type that is not served. */
export function fileOf(url: string, root: string): { file: string; type: string } | null {
  const { origin, protocol, host, pathname } = new URL(url)
  if (origin !== ORIGIN && `${protocol}//${host}` !== ORIGIN) return null
  let relative: string
  try {
    relative = decodeURIComponent(pathname)
  } catch {
    return null // not percent-encoding
  }
  if (relative.includes('\0')) return null
  const file = path.join(root, relative === '/' ? 'index.html' : relative)
  const type = TYPES[path.extname(file)]
  return file.startsWith(root + path.sep) && type !== undefined ? { file, type } : null
}

/** `net::ERR_FILE_NOT_FOUND` */
const NOT_FOUND = -6

/**
 * What `protocol.registerFileProtocol` answers for the files under `root`, an absolute folder: the file to send, or the network
 * error that stands for its absence. Chromium reads the file itself: what `protocol.handle` answers would be passed through
 * this thread piece by piece, and it has better things to do while the app starts (measured: a tenth of a second).
 */
export function serveBundle(root: string): (request: { url: string; method: string }) => ProtocolResponse {
  return ({ url, method }) => {
    const found = method === 'GET' ? fileOf(url, root) : null
    return found ? { path: found.file, headers: { ...HEADERS, 'Content-Type': found.type } } : { error: NOT_FOUND }
  }
}
