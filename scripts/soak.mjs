#!/usr/bin/env node
// npm run -s soak -- NAME [ARGUMENT...]: runs test/soak/NAME.ts, which goes on for long. Progress on stderr, one line of JSON on stdout.
import { measure } from './lib/measure.mjs'

process.exitCode = await measure('soak', 'test/soak', process.argv.slice(2))
