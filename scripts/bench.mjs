#!/usr/bin/env node
// npm run -s bench -- NAME [ARGUMENT...]: runs test/bench/NAME.ts. Progress on stderr, one line of JSON on stdout.
import { measure } from './lib/measure.mjs'

process.exitCode = await measure('bench', 'test/bench', process.argv.slice(2))
